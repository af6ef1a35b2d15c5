"""TopSpin folders: real ones against nmrglue, and constructed ones for what no real folder at hand shows."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import bruker_topspin
from tests.measurements.readers.expected import disagreements, readings_of

PARAMETERS = (
    "##TITLE= Parameter file, TOPSPIN\n##$SW_h= 1000\n##$TD= 6\n##$BYTORDA= 1\n##$DTYPA= 0\n##$AQ_mod= 3\n"
)


def parameters(**values: object) -> str:
    return (
        "##TITLE= Parameter file\n"
        + "".join(f"##${key}= {value}\n" for key, value in values.items())
        + "##END=\n"
    )


@pytest.mark.parametrize("name", ["datalab_bruker_1", "npm_bruker_coffee_20"])
def test_spectrum_and_signal_agree_with_nmrglue(reference: Path, name: str) -> None:
    datasets = bruker_topspin.read(reference / "instrument_files" / "nmr" / name)
    expected = next(value for key, value in readings_of(reference).items() if key.startswith(f"nmr/{name}/"))
    assert not [line for line in disagreements(datasets, expected) if ".abs" not in line]
    real, imaginary = datasets[2].signal.values, datasets[3].signal.values
    assert np.abs(real + 1j * imaginary).max() == pytest.approx(expected[0]["fid"]["abs_max"], rel=1e-12)
    offset_ppm = float(expected[0]["procs"]["OFFSET"])
    assert datasets[0].axes[0].values[0] == offset_ppm
    assert datasets[0].axes[0].unit == "ppm"
    assert datasets[0].conditions["nucleus"].value == expected[0]["acqus"]["NUC1"]


def test_seconds_since_1970_are_a_moment_in_utc(reference: Path) -> None:
    spectrum = bruker_topspin.read(reference / "instrument_files/nmr/datalab_bruker_1")[0]
    assert spectrum.acquired_at is not None
    assert spectrum.acquired_at.isoformat() == "2021-04-26T10:18:17+00:00"


def test_a_plane_is_put_together_from_its_blocks(tmp_path: Path) -> None:
    plane = np.arange(32.0).reshape(4, 8)
    blocks = [plane[r : r + 2, c : c + 4] for r in (0, 2) for c in (0, 4)]
    folder = tmp_path / "7" / "pdata" / "1"
    folder.mkdir(parents=True)
    (folder / "2rr").write_bytes(b"".join(block.astype("<i4").tobytes() for block in blocks))
    common = {"SW_p": 800, "SF": 100, "BYTORDP": 0, "DTYPP": 0, "NC_proc": 1}
    (folder / "procs").write_text(parameters(SI=8, XDIM=4, OFFSET=10, **common))
    (folder / "proc2s").write_text(parameters(SI=4, XDIM=2, OFFSET=100, **common))
    (only,) = bruker_topspin.read(tmp_path)
    assert np.array_equal(only.signal.values, 2 * plane)
    assert [axis.values[1] for axis in only.axes] == [98.0, 9.0]


def test_rows_of_a_ser_file_lose_their_filling_and_nothing_else(tmp_path: Path) -> None:
    rows = np.zeros((3, 256), dtype=">i4")
    rows[:, :6] = np.arange(18).reshape(3, 6)
    (tmp_path / "acqus").write_text(PARAMETERS)
    (tmp_path / "ser").write_bytes(rows.tobytes())
    real, imaginary = bruker_topspin.read(tmp_path)
    assert np.array_equal(real.signal.values, [[0, 2, 4], [6, 8, 10], [12, 14, 16]])
    assert np.array_equal(imaginary.signal.values[:, 0], [1, 7, 13])
    assert real.axes[1].values[1] == pytest.approx(1e-3)


def test_experiment_ten_comes_after_experiment_two(tmp_path: Path) -> None:
    for number in ("10", "2"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "acqus").write_text(PARAMETERS)
        (tmp_path / number / "fid").write_bytes(np.arange(6, dtype=">i4").tobytes())
    assert [d.title.partition(":")[0] for d in bruker_topspin.read(tmp_path)] == ["2", "2", "10", "10"]


def test_a_lone_fid_is_refused_and_the_folder_asked_for(reference: Path) -> None:
    fid = reference / "instrument_files/nmr/datalab_bruker_1/1/fid"
    assert bruker_topspin.recognises(fid.read_bytes()[:65536], "fid")
    with pytest.raises(ReadError, match="whole folder, with acqus and pdata, as a zip"):
        bruker_topspin.read(fid)


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["1/acqus", "1/fid", "1/pdata/1/1r"], True),
        (["experiment/1/acqus", "experiment/1/ser"], True),
        (["fid", "procpar", "log", "text"], False),
        (["a.txt"], False),
    ],
)
def test_a_folder_is_known_by_acqus_wherever_it_lies(names: list[str], known: bool) -> None:
    assert bool(bruker_topspin.recognises_names(names)) is known


def test_damaged_folders_are_read_or_refused_and_nothing_else(tmp_path: Path, reference: Path) -> None:
    source = reference / "instrument_files/nmr/datalab_bruker_1/1"
    chance = np.random.default_rng(5)
    for name in ("acqus", "fid", "pdata/1/procs", "pdata/1/1r"):
        for _ in range(12):
            folder = tmp_path / f"{chance.integers(10**12)}"
            (folder / "pdata" / "1").mkdir(parents=True)
            for other in ("acqus", "fid", "pdata/1/procs", "pdata/1/1r"):
                content = bytearray((source / other).read_bytes())
                if other == name:
                    content = content[: chance.integers(len(content))]
                    for place in chance.integers(len(content) or 1, size=20 if content else 0):
                        content[place] = chance.integers(256)
                (folder / other).write_bytes(content)
            try:
                datasets = bruker_topspin.read(folder)
            except ReadError:
                continue
            assert all(np.isfinite(axis.values).all() for d in datasets for axis in d.axes)
