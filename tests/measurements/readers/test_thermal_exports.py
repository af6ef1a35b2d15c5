"""Text exports of thermal analysers: the real files as others read them, and the variants we know of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.expected import disagreements, readings_of

FILES = {
    "thermal/tga_Mettler_LNO_C.txt": ("mettler_stare", "tga"),
    "thermal/tga_Mettler_STARe_weight.txt": ("mettler_stare", "tga"),
    "thermal/tga_netzsch_AlPyr.txt": ("netzsch_text", "tga"),
    "thermal/tga_PE.csv": ("perkinelmer_pyris", "tga"),
    "thermal/tga_PE_TGA4000.txt": ("perkinelmer_pyris", "tga"),
    "thermal/dsc_Setaram_Cp_sample.txt": ("setaram", "dsc"),
    "thermal/dsc_Setaram_Cp_sapphire.txt": ("setaram", "dsc"),
    "thermal/dsc_Setaram_Cp_zero.txt": ("setaram", "dsc"),
    "thermal/dsc_Setaram_Duran_glass.txt": ("setaram", "dsc"),
    "thermal/tga_TA_Q500_Cryo1.txt": ("ta_universal", "tga"),
    "thermal/tgams_Quadera_20221128.asc": ("pfeiffer_quadera", ""),
    "thermal/dil805_cooling.asc": ("dilatometer_dil805", "dilatometry"),
}

STARE_GERMAN = """\
Kurvenname:
  ^exo
  Glas A, 12,5000 mg
Kurvenwerte:
          Index              t             Ts             Tr           Wert
                           [s]           [°C]           [°C]           [mW]
              0              0         25,000         25,000        -0,1159
              1              1         25,150         25,167        -0,1387
Probe:
  Glas A, 12,5000 mg
Methode:
  25,0-400,0 °C 10,00 K/min
"""
NETZSCH_TWO_RUNS = (
    "#EXPORTTYPE:DATA COMPARE\tDATA COMPARE\n#FORMAT:NETZSCH5\tNETZSCH5\n#DECIMAL:COMMA\n#SEPARATOR:TAB\n"
    "#MTYPE:DSC\tDSC\n#SAMPLE:glass\tcrystal\n#SAMPLE MASS /mg:4,98\t5,10\n#EXO:-1\n"
    "#RANGE:-30°C/10,0(K/min)/200°C\n"
    "##Temp./°C\tZeit/min\tDSC/(mW/mg)\tTemp./°C\tZeit/min\tDSC/(mW/mg)\n"
    " 9,1\t0,0\t-8,7e-2\t 9,5\t0,0\t1,25\n\t\t\t 9,7\t0,1\t1,50\n"
)
PYRIS_DSC = (
    "Sample ID:\tglass\nSample Weight:\t5,210 mg\n1)\tHeat from 30.00°C to 400.00°C at 20.00°C/min\n"
    "1) DSC Temperature Scan\n"
    "\tTime\tUnsubtracted\tBaseline\tProgram\tSample\n\t\tHeat Flow\tHeat Flow\tTemperature\tTemperature\n"
    "\t0.000000\t20.100000\t0.000000\t30.000000\t29.900000\n"
    "\t0.016667\t20.200000\t0.000000\t30.333333\t30.100000\n"
)
TA_2920 = (
    "CLOSED\nVersion\t0.4\nInstrument\t2920 MDSC      V2.6A\nModule\tDSC Standard Cell\nSample\tEicosane\n"
    "Size\t9.00000\tmg\nXcomment\tPan: Aluminum Hermetic  Gas1: Nitrogen  50 mL/min   Gas2: None\n"
    "Exotherm\tUp\nNsig\t3\nSig1\tTime (min)\nSig2\tTemperature (øC)\nSig3\tHeat Flow (mW)\n"
    "StartOfData\n-1.000000\t69.19148\t0.0000000\n-1.000000\t-20.74876\t0.0000000\n"
    "187.9960\t-21.18184\t-10.46185\n188.0027\t-21.18186\t-10.46181\n"
)
TRIOS = (
    "Filename\tindium.tri\nInstrument name\tDSC2500\nSample name\tindium\n[Procedure]\nSample Mass\t5.2 mg\n"
    "[Configuration]\nExotherm Direction\tUp\n\n[step]\nRamp 10.00 °C/min to 180.00 °C\n"
    "Time\tTemperature\tHeat Flow (Normalized)\nmin\t°C\tW/g\n0.0\t25.0\t-0.01\n0.1\t26.0\t\n\n"
    "[step]\nIsothermal 5.0 min\nTime\tTemperature\tHeat Flow (Normalized)\nmin\t°C\tW/g\n0.2\t26.5\t-0.03\n"
)


def read(content: bytes, folder: Path, reader: str) -> list[Dataset]:
    """What the reader that is surest of the bytes makes of them; it must be the one named."""
    found = readers.recognise(content[: readers.HEAD_BYTES], "export.txt")
    assert found is not None
    assert found.key == reader
    path = folder / "stored"
    path.write_bytes(content)
    return readers.read(found, path)


@pytest.mark.parametrize("name", FILES)
def test_a_real_export_is_read_as_independent_programs_read_it(name: str, reference: Path) -> None:
    key, technique = FILES[name]
    source = reference / "instrument_files" / name
    found = readers.recognise(source.read_bytes()[: readers.HEAD_BYTES], source.name)
    assert found is not None
    assert found.key == key
    datasets = readers.read(found, source)
    assert datasets[0].technique == technique
    assert datasets[0].axes[0].name == "Time"
    readings = readings_of(reference).get(name, [])
    if key == "ta_universal":  # that reading counts the marks as points: see the test below
        readings = []
    assert disagreements(datasets, readings) == []


def test_marks_of_a_ta_run_are_kept_in_the_header_and_not_as_points(reference: Path) -> None:
    datasets = readers.read(
        readers.get("ta_universal"), reference / "instrument_files" / "thermal" / "tga_TA_Q500_Cryo1.txt"
    )
    marks = {key: value for key, value in datasets[0].header.items() if key.startswith("mark before point")}
    reading = readings_of(reference)["thermal/tga_TA_Q500_Cryo1.txt"][0]
    assert len(marks) == 3
    assert datasets[0].signal.values.size + len(marks) == reading["n"]
    assert datasets[0].axes[0].values.min() >= 0
    assert datasets[0].axes[0].values.max() == reading["col_max"][0]
    assert datasets[0].signal.values.max() == reading["col_max"][2]
    assert datasets[0].conditions["mass"].value == 20.821


def test_an_older_ta_export_begins_with_its_first_point(tmp_path: Path) -> None:
    """The layout is that of a run published with pkynetics; its degree sign comes from DOS."""
    flow, temperature = read(TA_2920.encode("latin-1"), tmp_path, "ta_universal")
    assert flow.axes[0].values.tolist() == [187.996, 188.0027]
    assert (flow.technique, flow.conditions["mode"].value) == ("dsc", "exo up")
    assert temperature.signal.unit == "°C"
    assert flow.conditions["crucible"].value == "Aluminum Hermetic"
    assert (flow.conditions["gas"].value, flow.conditions["gas_flow"].value) == ("Nitrogen", 50)


def test_pyris_settings_become_conditions(reference: Path) -> None:
    path = reference / "instrument_files" / "thermal" / "tga_PE_TGA4000.txt"
    conditions = readers.read(readers.get("perkinelmer_pyris"), path)[0].conditions
    assert (conditions["mass"].value, conditions["mass"].unit) == (12.492, "mg")
    assert conditions["heating_rate"].value == 40
    assert (conditions["gas"].value, conditions["gas_flow"].value) == ("Nitrogen", 20)


def test_masses_of_a_quadera_run_have_their_own_times(reference: Path) -> None:
    path = reference / "instrument_files" / "thermal" / "tgams_Quadera_20221128.asc"
    datasets = readers.read(readers.get("pfeiffer_quadera"), path)
    assert [dataset.title for dataset in datasets][:3] == ["m/z 14", "m/z 16", "Water"]
    assert [dataset.axes[0].values[0] for dataset in datasets][:3] == [0.0, 0.222, 0.445]
    assert {dataset.signal.values.size for dataset in datasets} == {1366, 1365}  # the last row is not whole


def test_a_german_stare_export_is_read_with_its_commas_and_exo_mark(tmp_path: Path) -> None:
    datasets = read(STARE_GERMAN.encode("latin-1"), tmp_path, "mettler_stare")
    assert datasets[0].signal.values.tolist() == [-0.1159, -0.1387]
    assert datasets[0].signal.unit == "mW"
    assert datasets[0].technique == "dsc"
    assert datasets[0].conditions["mode"].value == "exo up"
    assert datasets[0].conditions["mass"].value == 12.5
    assert datasets[0].conditions["heating_rate"].value == 10
    assert [dataset.title for dataset in datasets[1:]] == [
        "Sample temperature (Ts)",
        "Reference temperature (Tr)",
    ]


def test_netzsch_runs_side_by_side_are_told_apart(tmp_path: Path) -> None:
    datasets = read(NETZSCH_TWO_RUNS.encode("latin-1"), tmp_path, "netzsch_text")
    flows = [dataset for dataset in datasets if dataset.title == "DSC"]
    assert [flow.signal.values.tolist() for flow in flows] == [[-0.087], [1.25, 1.5]]
    assert [flow.conditions["mass"].value for flow in flows] == [4.98, 5.1]
    assert [flow.conditions["sample_name"].value for flow in flows] == ["glass", "crystal"]
    assert flows[0].conditions["mode"].value == "exo down"
    assert flows[0].conditions["heating_rate"].value == 10


def test_a_pyris_dsc_run_has_the_heat_flow_first(tmp_path: Path) -> None:
    datasets = read(PYRIS_DSC.encode(), tmp_path, "perkinelmer_pyris")
    assert (datasets[0].title, datasets[0].signal.unit) == ("Unsubtracted Heat Flow", "mW")
    assert datasets[0].signal.values.tolist() == [20.1, 20.2]
    assert datasets[0].technique == "dsc"
    assert datasets[0].conditions["end_temperature"].value == 400


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_steps_of_a_trios_run_follow_each_other(delimiter: str, tmp_path: Path) -> None:
    datasets = read(TRIOS.replace("\t", delimiter).encode(), tmp_path, "ta_trios")
    assert datasets[0].title == "Heat Flow (Normalized)"
    assert np.array_equal(datasets[0].signal.values, [-0.01, np.nan, -0.03], equal_nan=True)
    assert datasets[0].axes[0].values.tolist() == [0.0, 0.1, 0.2]
    assert datasets[1].signal.values.tolist() == [25.0, 26.0, 26.5]
    assert datasets[0].conditions["mode"].value == "exo up"
    assert datasets[0].conditions["heating_rate"].value == 10
    assert datasets[0].header["step 2"] == "Isothermal 5.0 min (from point 3, 1 points)"


def test_a_balance_that_stands_still_does_not_make_a_dsc_run_a_tga_run(tmp_path: Path) -> None:
    rows = "\n".join(f"{n};{n};{50 + n};{50 + n};240.9;{n / 7:.6f}" for n in range(20))
    text = (
        "Glass\nCreation Date : 1\nIndex;Time (s);Furnace Temperature (°C);Sample Temperature (°C);TG (mg);"
        "HeatFlow (mW)\n" + rows
    )
    still = read(text.encode("utf-16"), tmp_path, "setaram")
    assert (still[0].technique, still[0].title) == ("dsc", "HeatFlow")
    moving = read(text.replace(";240.9;", ";240.8;", 1).encode("utf-16"), tmp_path, "setaram")
    assert (moving[0].technique, moving[0].title) == ("tga", "TG")


def test_a_pyris_export_that_was_cut_off_is_refused(reference: Path, tmp_path: Path) -> None:
    path = reference / "instrument_files" / "thermal" / "tga_PE_TGA4000.txt"
    lines = path.read_bytes().split(b"\r\n")
    with pytest.raises(ReadError, match="announces 1155 points, the file has 464"):
        read(b"\r\n".join(lines[:500]), tmp_path, "perkinelmer_pyris")


def test_a_damaged_row_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"^Line 12: expected a number in column 2"):
        read(NETZSCH_TWO_RUNS.replace("0,1\t", "0x1\t").encode(), tmp_path, "netzsch_text")
    damaged = STARE_GERMAN.replace("0         25,000", "0         2x,000").encode()
    with pytest.raises(ReadError, match=r"^Line 7"):
        read(damaged, tmp_path, "mettler_stare")


def test_two_and_a_half_megabytes_are_read_within_a_second(reference: Path) -> None:
    import time

    begun = time.perf_counter()
    path = reference / "instrument_files" / "thermal" / "dsc_Setaram_Cp_sample.txt"
    datasets = readers.read(readers.get("setaram"), path)
    assert np.all(np.isfinite(datasets[0].signal.values))
    assert time.perf_counter() - begun < 1
