"""Gudrun, and PDFgetX3 with its kin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.expected import disagreements, readings_of, summaries
from tests.measurements.readers.mutations import offences

TEMPERATURES = (31, 301, 505, 547, 589)
FILES = [f"ZIF4glassa_{t}.{ending}" for t in TEMPERATURES for ending in ("dofr", "int01")]

PDFGETX3 = """[DEFAULT]

version = diffpy.pdfgetx-2.1.2

# input and output specifications
dataformat = twotheta
outputtype = gr

# PDF calculation setup
mode = xray
wavelength = 0.7093
composition = SiO2
qmaxinst = 20.5
qmin = 0
qmax = 12.5259

# End of config --------------------------------------------------------------

#### start data
#S 1
#L r(Å)  G(Å$^{-2}$)
0 0
0.01 0.000792929
0.02 0.00157326
"""

PDFGETX2 = """History written:       Wed Jul 01 00:37:52 2025
####### Get_XPDF #######
sourcedir=/home/pdfgetx2/
temperature=300.000    containermut=0.0200000    filtermut=0.0200000
lambda=0.126514    energy=98.0010    polartype=2
#L symbol valence fractions z user_f1 user_f2 user_macoef
  Ni    0.00   1.000000    28   0.000000   0.000000   0.000000
  0    1    0    1    3
## S(q)  qmin=1.000000    qmax=40.000000    qgrid=0.000000
optqmin=20.0000    optqmax=30.0000
##### start data
#L r    G(r)    d_r    d_Gr
   1.000000e-02    -7.734561e-02    -1.381170e-02     3.134926e-02
   2.000000e-02    -1.596764e-01    -2.762339e-02     6.045792e-02
"""

PDFGETN = """##### start data
#S 1 - PDF from PDFgetN lcmo x=0.000 T=10.0 qmax=35.0
#L r G(r) dr dG(r)
  0.010      0.802   0.0     0.0149
  0.020      1.550   0.0     0.0284
"""


def read(content: str, folder: Path) -> list[Dataset]:
    path = folder / "curve"
    path.write_text(content)
    reader = readers.recognise(path.read_bytes(), "curve.gr")
    assert reader is not None
    assert reader.key == "pdfget"
    return readers.read(reader, path)


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_gudrun_agrees_with_the_independent_reading(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / "pdf" / "ZIF4_glass" / name
    reader = readers.recognise(path.read_bytes()[: readers.HEAD_BYTES], name)
    assert reader is not None
    assert reader.key == "gudrun"
    (dataset,) = readers.read(reader, path)
    readings = readings_of(reference)[f"pdf/ZIF4_glass/{name}"]
    assert summaries(readings) > 0
    assert disagreements([dataset], readings) == []
    assert dataset.technique == "pdf"
    assert (dataset.signal.errors is None) == name.endswith("dofr")  # there it is the root of the second
    assert ("square root" in dataset.header.get("third column", "")) == name.endswith("dofr")


def test_interference_function_and_its_transform_fit_together(reference: Path) -> None:
    """D(r) at the Zn–N distance, 1.98 Å, is a maximum, and so it is in the transform of F(Q) itself."""
    folder = reference / "instrument_files" / "pdf" / "ZIF4_glass"
    (f,) = readers.read(readers.get("gudrun"), folder / "ZIF4glassa_31.int01")
    (d,) = readers.read(readers.get("gudrun"), folder / "ZIF4glassa_31.dofr")
    q = f.axes[0].values
    r = d.axes[0].values
    window = (r > 1.5) & (r < 2.5)
    transform = [np.trapezoid(q * f.signal.values * np.sin(q * at), q) for at in r[window]]
    peak = r[window][np.argmax(transform)]
    assert peak == pytest.approx(r[window][np.argmax(d.signal.values[window])], abs=0.06)


@pytest.mark.parametrize("name", FILES[:2])
def test_a_mutilated_file_of_gudrun_is_refused_or_read(reference: Path, name: str) -> None:
    source = reference / "instrument_files" / "pdf" / "ZIF4_glass" / name
    assert list(offences(readers.get("gudrun"), source)) == []


@pytest.mark.parametrize("content", [PDFGETX3, PDFGETX2, PDFGETN])
def test_a_mutilated_file_of_pdfget_is_refused_or_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "whole.gr"
    path.write_text(content)
    assert list(offences(readers.get("pdfget"), path)) == []


def test_pdfgetx3_gives_its_function_with_the_settings_of_the_transform(tmp_path: Path) -> None:
    (dataset,) = read(PDFGETX3, tmp_path)
    assert (dataset.axes[0].name, dataset.axes[0].unit) == ("r", "Å")
    assert (dataset.signal.name, dataset.signal.unit) == ("G(r)", "Å⁻²")
    assert dataset.signal.values.tolist() == [0, 0.000792929, 0.00157326]
    known = {key: quantity.value for key, quantity in dataset.conditions.items()}
    assert known["q_min"] == 0
    assert known["q_max"] == 12.5259
    assert known["xray_wavelength"] == 0.7093
    assert known["composition"] == "SiO2"
    assert dataset.header["qmaxinst"] == "20.5"


def test_the_fourth_column_of_pdfgetx2_is_the_error_and_its_table_of_elements_no_data(tmp_path: Path) -> None:
    first, second = read(PDFGETX2, tmp_path)
    assert first.signal.errors is not None
    assert first.signal.errors.tolist() == [3.134926e-02, 6.045792e-02]
    assert second.title == "d_r"
    assert first.conditions["q_max"].value == 40
    assert first.conditions["xray_wavelength"].value == 0.126514
    assert first.conditions["temperature"].value == pytest.approx(26.85)


def test_neutrons_are_told_from_x_rays(tmp_path: Path) -> None:
    (dataset,) = read(PDFGETN, tmp_path)
    assert dataset.conditions["mode"].value == "neutron"
    assert dataset.conditions["temperature"].value == pytest.approx(-263.15)
    assert dataset.conditions["q_max"].value == 35


def test_a_structure_function_is_over_q(tmp_path: Path) -> None:
    content = PDFGETX3.replace("outputtype = gr", "outputtype = sq").replace("#L r(Å)  G(Å$^{-2}$)", "#L Q S")
    (dataset,) = read(content, tmp_path)
    assert (dataset.axes[0].unit, dataset.signal.name, dataset.signal.unit) == ("Å⁻¹", "S(Q)", "1")


def test_a_file_that_ends_with_its_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no numbers below its header"):
        read(PDFGETX3.split("0 0\n")[0], tmp_path)
