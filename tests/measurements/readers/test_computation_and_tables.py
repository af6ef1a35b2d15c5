"""Calculations, tables of elements, and files that are no measurements. No real files were at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.mutations import offences

GAUSSIAN = """ Entering Gaussian System, Link 0=g16
 Gaussian 16:  ES64L-G16RevC.01  3-Jul-2019
 ----------------------------------------------------------------------
 #p B3LYP/6-31G(d) opt freq td=(nstates=2)
 ----------------------------------------------------------------------
 Charge =  0 Multiplicity = 1
 SCF Done:  E(RB3LYP) =  -76.4073211345     A.U. after   10 cycles
 Excited State   1:      Singlet-B1     7.9000 eV  156.94 nm  f=0.0100  <S**2>=0.000
 SCF Done:  E(RB3LYP) =  -76.4089533211     A.U. after    8 cycles
 Excited State   1:      Singlet-B1     8.0123 eV  154.74 nm  f=0.0123  <S**2>=0.000
       5 ->  6         0.70588
 Excited State   2:      Singlet-A2     9.7321 eV  127.40 nm  f=0.0000  <S**2>=0.000
 Frequencies --   1713.1234              3727.3701              3849.4567
 Red. masses --      1.0830                 1.0453                 1.0813
 IR Inten    --     75.7982                 1.6922                19.3270
 Normal termination of Gaussian 16 at Mon May  4 10:00:00 2026.
"""

ORCA_5 = """                                 *****************
                                 * O   R   C   A *
                                 *****************
                         Program Version 5.0.3 -  RELEASE  -
|  1> ! B3LYP def2-SVP TightSCF
FINAL SINGLE POINT ENERGY       -76.330123456789

-----------------------------------------------------------------------------
         ABSORPTION SPECTRUM VIA TRANSITION ELECTRIC DIPOLE MOMENTS
-----------------------------------------------------------------------------
State   Energy    Wavelength  fosc         T2        TX        TY        TZ
        (cm-1)      (nm)                 (au**2)    (au)      (au)      (au)
-----------------------------------------------------------------------------
   1   64623.0    154.7   0.012300000   0.06267   0.25034   0.00000   0.00000
   2   78495.3    127.4   0.000000000   0.00000   0.00000   0.00000   0.00000

IR SPECTRUM
-----------

 Mode   freq       eps      Int      T**2         TX        TY        TZ
       cm**-1   L/(mol*cm) km/mol    a.u.
----------------------------------------------------------------------------
  6:   1639.47   0.014950   75.55  0.002846  ( 0.053346 -0.000000 -0.000000)
  7:   3686.32   0.000335    1.69  0.000028  (-0.005326  0.000000 -0.000000)

                             ****ORCA TERMINATED NORMALLY****
"""

TRAJECTORY = """3
step 0 energy=-76.4073 eV
O 0.000 0.000 0.119
H 0.000 0.763 -0.477
H 0.000 -0.763 -0.477
3
step 1 energy=-76.4089 eV
O 0.000 0.000 0.120
H 0.000 0.764 -0.478
H 0.000 -0.764 -0.478
"""

MASSHUNTER = """,,,,208  Pb  [ He ],,133  Cs  [ He ],
Data File,Acq. Date-Time,Type,Sample Name,Conc. [ ppb ],Conc. RSD,Conc. [ ppb ],Conc. RSD
001.d,4/5/2026 10:00,CalBlk,blank,<0.05,N/A,0.01,12.1
002.d,4/5/2026 10:05,Sample,glass 24 h,12.5,1.2,130.7,0.9
"""


def read(content: str, folder: Path, key: str) -> list[Dataset]:
    path = folder / "file"
    path.write_text(content)
    reader = readers.recognise(path.read_bytes(), "file")
    assert reader is not None
    assert reader.key == key
    return readers.read(reader, path)


def test_gaussian_gives_the_excitations_of_the_last_structure_and_every_energy(tmp_path: Path) -> None:
    excitations, infrared, energies = read(GAUSSIAN, tmp_path, "quantum_chemistry")
    assert excitations.axes[0].values.tolist() == [8.0123, 9.7321]
    assert excitations.signal.values.tolist() == [0.0123, 0]
    assert infrared.axes[0].values.tolist() == [1713.1234, 3727.3701, 3849.4567]
    assert infrared.signal.values.tolist() == [75.7982, 1.6922, 19.3270]
    assert energies.signal.values.tolist() == [-76.4073211345, -76.4089533211]
    assert (energies.signal.unit, energies.technique) == ("Eh", "computation")
    assert energies.conditions["mode"].value == "#p B3LYP/6-31G(d) opt freq td=(nstates=2)"
    assert energies.header["ended normally"] == "yes"


def test_orca_gives_the_same_quantities(tmp_path: Path) -> None:
    excitations, infrared, energies = read(ORCA_5, tmp_path, "quantum_chemistry")
    assert excitations.axes[0].values == pytest.approx([8.0122, 9.7322], abs=2e-4)
    assert excitations.signal.values.tolist() == [0.0123, 0]
    assert infrared.axes[0].values.tolist() == [1639.47, 3686.32]
    assert infrared.signal.values.tolist() == [75.55, 1.69]
    assert energies.signal.values.tolist() == [-76.330123456789]


def test_the_table_of_orca_6_names_transitions_instead_of_numbers(tmp_path: Path) -> None:
    newer = ORCA_5.replace(
        "   1   64623.0    154.7   0.012300000",
        "  0-1A  ->  1-1A    8.012215   64623.0   154.7   0.012300000",
    ).replace(
        "   2   78495.3    127.4   0.000000000",
        "  0-1A  ->  2-1A    9.732171   78495.3   127.4   0.000000000",
    )
    excitations = read(newer, tmp_path, "quantum_chemistry")[0]
    assert excitations.axes[0].values == pytest.approx([8.0122, 9.7322], abs=2e-4)
    assert excitations.signal.values.tolist() == [0.0123, 0]


def test_a_calculation_without_any_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"without an energy.*Did the run fail.*Charge =  0"):
        read(GAUSSIAN.split(" SCF Done")[0], tmp_path, "quantum_chemistry")


def test_a_trajectory_has_energies_over_frames_and_positions_of_atoms(tmp_path: Path) -> None:
    energies, positions = read(TRAJECTORY, tmp_path, "xyz")
    assert energies.signal.values.tolist() == [-76.4073, -76.4089]
    assert energies.signal.unit == "eV"
    assert positions.signal.values.shape == (2, 3, 3)
    assert positions.signal.values[1, 1].tolist() == [0, 0.764, -0.478]
    assert positions.header["elements"] == "O H H"


def test_a_frame_that_lost_an_atom_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Line 6: the frame announces 3 atoms and has 2"):
        read(TRAJECTORY.rsplit("H", 1)[0], tmp_path, "xyz")


def test_concentrations_of_a_run_have_units_and_what_is_below_detection_is_a_gap(tmp_path: Path) -> None:
    lead, _, caesium, _ = read(MASSHUNTER, tmp_path, "icp_table")
    assert lead.signal.unit == "ppb"
    assert np.isnan(lead.signal.values[0])
    assert lead.signal.values[1] == 12.5
    assert caesium.signal.values.tolist() == [0.01, 130.7]
    assert lead.header["sample 2"] == "glass 24 h"
    assert "<0.05" in lead.header.values()
    assert lead.technique == "leaching"


def test_a_table_of_emission_lines_needs_one_line_of_titles(tmp_path: Path) -> None:
    lead, zinc = read(
        "Sample;Pb 220.353 (mg/L);Zn 213.857 (mg/L)\nA;0,5;1,25\nB;0,75;n.d\n", tmp_path, "icp_table"
    )
    assert (lead.signal.name, lead.signal.unit) == ("Pb 220.353", "mg/L")
    assert zinc.signal.values[0] == 1.25


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("Well,Sample,Volume\nA1,VT-1,10\nA2,VT-2,10\nH12,VT-3,10\n", "plate map"),
        (
            '[{"timestamp": "2026-05-04T10:00:00Z", "action": "aspirate", "volume": 5}]',
            "stream of a robot's events",
        ),
        (
            '{"timestamp": 1, "event": "start"}\n{"timestamp": 2, "event": "stop"}\n',
            "stream of a robot's events",
        ),
        ('{"version": 2, "cells": []}', "this is JSON .with “version”, “cells”. of a kind that is not known"),
    ],
)
def test_what_is_no_measurement_is_said_to_be_none(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(ReadError, match=sentence):
        read(content, tmp_path, "robot_files")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("quantum_chemistry", GAUSSIAN),
        ("quantum_chemistry", ORCA_5),
        ("xyz", TRAJECTORY),
        ("icp_table", MASSHUNTER),
    ],
)
def test_mutilated_files_are_refused_or_read(tmp_path: Path, key: str, content: str) -> None:
    path = tmp_path / "whole"
    path.write_text(content)
    assert list(offences(readers.get(key), path)) == []


def test_a_checkpoint_gives_its_total_energy_and_a_kf_file_is_named(tmp_path: Path) -> None:
    checkpoint = (
        "water\nSP        RB3LYP                                                      6-31G(d)\n"
        "Number of atoms                            I                3\n"
        "Charge                                     I                0\n"
        "Total Energy                               R     -7.640895332110000E+01\n"
    )
    (energy,) = read(checkpoint, tmp_path, "computation_files")
    assert energy.signal.values.tolist() == [-76.4089533211]
    with pytest.raises(ReadError, match="KF file of AMS"):
        read("SUPERINDEX                      ", tmp_path, "computation_files")
