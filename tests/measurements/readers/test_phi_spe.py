"""PHI files: a real survey, and several regions, cycles and doubles in bytes written here."""

import struct
from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import phi_spe
from tests.measurements.readers.mutations import mutations


def written(traces: list[np.ndarray], definitions: list[str], kind: str = "f8") -> bytes:
    lines = ["SOFH", "Technique: XPS", "XraySource: Al 1486.6 mono"]
    lines += [f"SpectralRegDef: {number} {number} {text}" for number, text in enumerate(definitions, start=1)]
    heads, numbers = b"", b""
    first = 16 + 96 * len(traces)
    for number, trace in enumerate(traces, start=1):
        data = trace.astype(f"<{kind}").tobytes()
        region = number if number <= len(definitions) else 0
        words = [number, 1, 1, region, 1, trace.shape[-1], len(trace) if trace.ndim > 1 else 1, 1]
        heads += struct.pack("<8I", *words) + b"pnt\0" + b"\0" * 20 + b"c/s\0" + b"\0" * 12
        heads += kind.encode().ljust(4, b"\0") + struct.pack("<5I", len(data), first + len(numbers), 0, 0, 0)
        numbers += data
    about = struct.pack("<4I", 1, len(traces), len(heads), 16)
    return "\r\n".join([*lines, "EOFH", ""]).encode() + about + heads + numbers


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


def test_a_real_survey_has_the_energies_and_intensities_it_announces(reference: Path) -> None:
    path = reference / "instrument_files" / "xps" / "pynx_SnO2_10nm.spe"
    assert phi_spe.recognises(path.read_bytes()[:65536], "any")
    (survey,) = phi_spe.read(path)
    energy, counts = survey.axes[0].values, survey.signal.values
    assert (survey.axes[0].name, energy[0], energy[-1], len(energy)) == ("Binding energy", 1400, 0, 1751)
    assert np.diff(energy) == pytest.approx(-0.8)
    assert survey.signal.unit == "counts/s"
    assert np.array_equal(counts, np.frombuffer(path.read_bytes()[-4 * 1751 :], "<f4"))
    # Tin and oxygen are where SnO2 has them: Sn 3d5/2 near 486.7 eV, O 1s near 530.6 eV.
    region = (energy > 470) & (energy < 550)
    assert energy[region][counts[region].argmax()] == pytest.approx(486.7, abs=3)
    assert survey.conditions["work_function"].value == 4.506
    assert survey.conditions["pass_energy"].value == 224
    assert survey.header["Channel Info (32)"] == "32 1 1.753"


def test_regions_and_cycles_keep_their_own_energies(tmp_path: Path) -> None:
    carbon, profile = np.arange(3.0), np.arange(8.0).reshape(2, 4)
    definitions = ["C1s 6 3 -1 290 288 0 0 0.1 20 AREA", "O1s 8 4 -0.5 532 530.5 0 0 0.2 30 AREA"]
    first, second = phi_spe.read(saved(tmp_path, written([carbon, profile], definitions)))
    assert np.array_equal(first.signal.values, carbon)
    assert np.array_equal(second.signal.values, profile)
    assert list(second.axes[1].values) == [532, 531.5, 531, 530.5]
    assert [d.conditions["dwell_time"].value for d in (first, second)] == [0.1, 0.2]


def test_what_is_logged_beside_a_depth_profile_is_no_spectrum(tmp_path: Path) -> None:
    traces = [np.arange(6.0).reshape(2, 3), np.arange(2.0)]
    content = written(traces, ["C1s 6 3 -1 290 288 0 0 0.1 20 AREA"])
    (profile,) = phi_spe.read(saved(tmp_path, content))
    assert profile.title == "C1s"
    assert np.array_equal(profile.signal.values, traces[0])


def test_points_that_the_header_does_not_define_are_refused(tmp_path: Path) -> None:
    content = written([np.arange(5.0)], ["C1s 6 3 -1 290 288 0 0 0.1 20 AREA"], "f4")
    with pytest.raises(ReadError, match="trace 1 has 5 points of type “f4”, its definition"):
        phi_spe.read(saved(tmp_path, content))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    whole = written([np.arange(3.0)], ["C1s 6 3 -1 290 288 0 0 0.1 20 AREA"])
    for _, content in mutations(whole, seed=3):
        try:
            assert all(np.isfinite(d.axes[0].values).all() for d in phi_spe.read(saved(tmp_path, content)))
        except ReadError:
            continue
