"""From files to datasets: archives, folders, series. No database here."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from measurements import qc
from measurements.data import ReadError
from measurements.opening import Source, datasets_of

SCAN = "2Theta (deg)\tCounts\n" + "".join(f"{10 + 0.1 * step:.1f}\t{{}}\n" for step in range(12))


XRDML = """<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed"><xrdMeasurement><scan>
<dataPoints><positions axis="2Theta" unit="deg"><startPosition>10</startPosition><endPosition>11</endPosition>
</positions><commonCountingTime unit="seconds">1</commonCountingTime><counts>5 7</counts></dataPoints>
</scan></xrdMeasurement></xrdMeasurements>"""


def scan(value: float) -> bytes:
    return SCAN.replace("{}", str(value)).encode()


def source(folder: Path, name: str, content: bytes, place: int = 0, role: str = "") -> Source:
    path = folder / f"blob{place}"
    path.write_bytes(content)
    return Source(path, name, place, role)


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zipped_folder_of_scans_becomes_one_map_over_temperature(tmp_path: Path) -> None:
    content = zipped({f"heating/scan_{t}C.xy": scan(t) for t in (300, 25, 100)})
    (opened,) = datasets_of([source(tmp_path, "heating.zip", content)])
    temperature, angle = opened.dataset.axes
    assert (temperature.name, temperature.unit, temperature.values.tolist()) == (
        "Temperature",
        "°C",
        [25, 100, 300],
    )
    assert (angle.unit, opened.dataset.signal.values.shape) == ("deg", (3, 12))
    assert opened.dataset.signal.values[:, 0].tolist() == [25, 100, 300]
    assert opened.dataset.header["series: coordinate from"] == "file names"
    assert opened.dataset.header["series: scan 3"] == "heating/scan_300C.xy"


def test_scans_with_times_keep_the_order_in_which_they_were_taken(tmp_path: Path) -> None:
    """Heated and cooled again: sorting by temperature would mix the two branches."""
    taken = [("10:00", 25), ("10:10", 200), ("10:20", 90)]
    files = [
        source(tmp_path, f"s_{t}C.xy", f"Date: 2026-05-04T{clock}:00+02:00\n".encode() + scan(t), place)
        for place, (clock, t) in enumerate(taken)
    ]
    (opened,) = datasets_of(files)
    assert opened.dataset.axes[0].values.tolist() == [25, 200, 90]
    assert opened.place is None


def test_scans_without_a_temperature_get_the_time_between_them(tmp_path: Path) -> None:
    files = [
        source(tmp_path, f"{n}.xy", f"Date: 2026-05-04T10:0{n}:00Z\n".encode() + scan(n), n)
        for n in (0, 2, 5)
    ]
    (opened,) = datasets_of(files)
    axis = opened.dataset.axes[0]
    assert (axis.name, axis.unit, axis.values.tolist()) == ("Time", "s", [0, 120, 300])


def test_a_companion_log_gives_the_temperatures_and_its_clock_offset_is_kept(tmp_path: Path) -> None:
    log = b"Date: 2026-05-04T10:00:00Z\nTime (s)\tTemperature (\xc2\xb0C)\n0\t20\n100\t120\n400\t420\n"
    files = [
        source(tmp_path, f"{n}.xy", f"Date: 2026-05-04T10:0{n}:00Z\n".encode() + scan(n), n)
        for n in (0, 1, 2)
    ]
    opened = datasets_of([*files, source(tmp_path, "stage.txt", log, 9, "log")], offset_s=30.0)
    series = opened[0].dataset
    assert series.axes[0].name == "Temperature"
    np.testing.assert_allclose(series.axes[0].values, [50, 110, 170])
    assert series.conditions["clock_offset"].value == 30
    assert series.header["series: coordinate from"] == "companion log"
    assert opened[1].role == "log"


def test_a_log_without_a_date_and_without_an_offset_is_not_guessed_with(tmp_path: Path) -> None:
    log = b"Time (s)\tTemperature (\xc2\xb0C)\n0\t20\n100\t120\n400\t420\n"
    files = [
        source(tmp_path, f"{n}.xy", f"Date: 2026-05-04T10:0{n}:00Z\n".encode() + scan(n), n)
        for n in (0, 1, 2)
    ]
    opened = datasets_of([*files, source(tmp_path, "stage.txt", log, 9, "log")])
    assert opened[0].dataset.axes[0].name == "Time"


def test_columns_headed_by_times_are_one_map(tmp_path: Path) -> None:
    text = b"Wavelength (nm)\t0 s\t60 s\t120 s\n" + b"".join(b"%d\t9\t8\t7\n" % x for x in range(600, 615))
    (opened,) = datasets_of([source(tmp_path, "stability.txt", text)])
    assert opened.dataset.axes[0].values.tolist() == [0, 60, 120]
    assert opened.dataset.signal.values[:, 0].tolist() == [9, 8, 7]


def test_different_quantities_of_one_file_are_not_a_series(tmp_path: Path) -> None:
    text = b"Energy (eV)\ti0\titrans\n" + b"".join(b"%d\t9\t8\n" % x for x in range(7000, 7015))
    assert [o.dataset.signal.name for o in datasets_of([source(tmp_path, "x.dat", text)])] == ["i0", "itrans"]


def test_scans_on_different_grids_stay_as_they_are(tmp_path: Path) -> None:
    shifted = scan(1).replace(b"10.0\t", b"9.9\t")
    names = {"a_10C.xy": scan(1), "b_20C.xy": scan(2), "c_30C.xy": shifted}
    opened = datasets_of([source(tmp_path, "x.zip", zipped(names))])
    assert len(opened) == 3


def test_an_archive_that_packs_nothing_is_not_taken_for_what_is_in_it(tmp_path: Path) -> None:
    """Stored without compression, the beginning of its first file stands in its head."""
    scans = {
        f"scan {number}.xrdml": XRDML.replace("<counts>", f'<counts unit="counts">{number} ').encode()
        for number in (1, 2)
    }
    opened = datasets_of([source(tmp_path, "heating.zip", zipped(scans, zipfile.ZIP_STORED))])
    assert {each.reader for each in opened} == {"xrdml"}
    assert len(opened) == 2


def test_files_with_two_roles_are_never_mixed(tmp_path: Path) -> None:
    roles = ["sample", "blank", "sample", "sample"]
    files = [source(tmp_path, f"{n}_{n}0s.xy", scan(n), n, role) for n, role in enumerate(roles)]
    assert sorted(len(o.dataset.axes) for o in datasets_of(files)) == [1, 2]


def test_a_file_among_readable_ones_that_is_not_is_named(tmp_path: Path) -> None:
    content = zipped({"a.xy": scan(1), "notes.bin": b"\0\1\2" * 9, "__MACOSX/._a.xy": b"\0"})
    (opened,) = datasets_of([source(tmp_path, "x.zip", content)])
    assert "no reader recognises" in opened.dataset.header["not read: notes.bin"]


def test_a_note_in_a_folder_of_scans_does_not_keep_them_from_being_read(tmp_path: Path) -> None:
    files = [source(tmp_path, f"run/{t}C.xy", scan(t), n) for n, t in enumerate((25, 50, 100))]
    note = source(tmp_path, "run/readme.txt", b"Lamp on for half an hour.\n", 8)
    damaged = source(tmp_path, "run/0C.xy", b"", 9)
    (opened,) = datasets_of([damaged, note, *files])
    assert opened.dataset.signal.values.shape == (3, 12)
    (flag,) = [flag for flag in qc.flags(opened.dataset) if flag.check == "unread_files"]
    assert flag.level == "amber"
    assert flag.sentence.startswith("2 files beside it could not be read. run/0C.xy: the file is empty")
    assert "run/readme.txt: there are no rows of numbers" in flag.sentence


def test_a_file_that_came_with_a_role_must_be_readable(tmp_path: Path) -> None:
    files = [source(tmp_path, "decay.xy", scan(1), 0, "sample"), source(tmp_path, "irf.xy", b"", 1, "irf")]
    with pytest.raises(ReadError, match=r"irf\.xy: the file is empty"):
        datasets_of(files)


LISTS = {
    "names": b"file,temperature_c,time_min\nscan_1.xy,300,0\nscan_2.xy,25,1\nscan_3.xy,-20.5,2\n",
    "stems": b"Heated in argon\n\nScan;Temperature (K)\nscan_1;573.15\nSCAN_2;298.15\nscan_3;252.65\n",
}


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("as_zip", [False, True])
def test_a_table_that_names_the_scans_gives_their_temperatures(
    tmp_path: Path, text: bytes, as_zip: bool
) -> None:
    files = {f"scan_{n}.xy": scan(n) for n in (1, 2, 3)} | {"scans.csv": text}
    given = [source(tmp_path, name, content, place) for place, (name, content) in enumerate(files.items())]
    (opened,) = datasets_of([source(tmp_path, "x.zip", zipped(files), 9)] if as_zip else given)
    temperature = opened.dataset.axes[0]
    assert (temperature.name, temperature.unit) == ("Temperature", "°C")
    np.testing.assert_allclose(temperature.values, [-20.5, 25, 300])
    assert opened.dataset.signal.values[:, 0].tolist() == [3, 2, 1]


def test_a_scan_of_whole_numbers_is_no_list_of_scans_that_are_named_by_numbers(tmp_path: Path) -> None:
    text = b"Temperature (\xc2\xb0C)\tCounts\n" + b"".join(b"%d\t%d\n" % (n, n) for n in range(1, 15))
    opened = datasets_of([source(tmp_path, f"{n}.txt", text + b"15\t%d\n" % n, n) for n in (1, 2, 3)])
    assert len(opened) == 3


def test_a_table_that_gives_minutes_makes_a_series_over_time(tmp_path: Path) -> None:
    text = b"file\telapsed_time_min\na.xy\t0\nb.xy\t1.5\n"
    files = [source(tmp_path, name, scan(n), n) for n, name in enumerate(("a.xy", "b.xy"))]
    (opened,) = datasets_of([*files, source(tmp_path, "list.txt", text, 9)])
    assert opened.dataset.axes[0].unit == "s"
    assert opened.dataset.axes[0].values.tolist() == [0, 90]


def test_rows_of_date_and_time_beside_scans_are_their_log_without_being_called_so(tmp_path: Path) -> None:
    log = "Time,Humidity (%),Temperature (°C)\n" + "".join(
        f"2026-05-04T10:0{n}:00Z,40,{20 + 60 * n}\n" for n in range(5)
    )
    files = [
        source(tmp_path, f"{n}.xy", f"Date: 2026-05-04T10:0{n}:30Z\n".encode() + scan(n), n)
        for n in (0, 1, 2)
    ]
    opened = datasets_of([source(tmp_path, "a_log.csv", log.encode(), 9), *files])
    assert opened[0].dataset.axes[0].name == "Temperature"
    np.testing.assert_allclose(opened[0].dataset.axes[0].values, [50, 110, 170])


def test_an_archive_of_nothing_readable_says_why(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"x\.zip: nothing in the archive can be read\. a\.bin: no reader"):
        datasets_of([source(tmp_path, "x.zip", zipped({"a.bin": b"\0\1\2" * 9}))])


@pytest.mark.parametrize("name", ["../out.xy", "/etc/out.xy", "a/../../out.xy", "C:/out.xy", "..\\out.xy"])
def test_an_archive_that_points_out_of_its_folder_is_not_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReadError, match="points out of its folder"):
        datasets_of([source(tmp_path, "x.zip", zipped({name: scan(1)}))])
    assert not list(tmp_path.glob("**/out.xy"))


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.xy")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ReadError, match="points out of its folder"):
        datasets_of([source(tmp_path, "x.zip", out.getvalue())])


def test_a_zip_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="unpacks to more than"):
        datasets_of([source(tmp_path, "bomb.zip", zipped({"zeros.xy": b"\0" * 40_000_000}))])


def test_a_size_that_the_archive_lies_about_is_not_believed(tmp_path: Path) -> None:
    content = bytearray(zipped({"zeros.xy": b"\0" * 40_000_000}))
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 10)
    with pytest.raises(ReadError, match=r"unpacks to more than|damaged"):
        datasets_of([source(tmp_path, "bomb.zip", bytes(content))])


def test_too_many_files_are_refused_before_one_is_written(tmp_path: Path) -> None:
    content = zipped({f"{n}.xy": b"" for n in range(5001)}, zipfile.ZIP_STORED)
    with pytest.raises(ReadError, match="holds 5001 files"):
        datasets_of([source(tmp_path, "many.zip", content)])


def test_a_hostile_name_of_one_of_several_files_stays_in_its_folder(tmp_path: Path) -> None:
    files = [source(tmp_path, "../../../out", scan(1), 0), source(tmp_path, "/", scan(2), 1)]
    assert len(datasets_of(files)) == 2
    assert not (tmp_path.parent / "out").exists()


def test_an_encrypted_archive_gets_a_sentence(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.xy": scan(1)}))
    for start in (content.index(b"PK\x03\x04") + 6, content.rindex(b"PK\x01\x02") + 8):
        content[start] |= 1
    with pytest.raises(ReadError, match="damaged or cut off"):
        datasets_of([source(tmp_path, "x.zip", bytes(content))])


@pytest.mark.parametrize(
    "names",
    [
        ("測" * 100 + ".xy", "b.xy"),
        ("a", "a/b.xy"),
        ("a/b.xy", "a"),
        ("same.xy", "same.xy"),
        ("/".join(["deep"] * 1000), "b.xy"),
    ],
)
def test_names_that_cannot_lie_in_one_folder_are_read_one_by_one(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    files = [source(tmp_path, name, scan(place), place) for place, name in enumerate(names)]
    opened = datasets_of(files)
    assert [each.filename for each in opened] == list(names)


def test_an_archive_of_very_many_files_is_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = zipped({f"{n}.xy": b"" for n in range(5001)})
    end = many.rindex(b"PK\x05\x06")
    says_one = many[: end + 8] + struct.pack("<HH", 1, 1) + many[end + 12 :]
    monkeypatch.setattr(zipfile, "ZipFile", None)
    for content in (many, says_one):
        with pytest.raises(ReadError, match="holds 5001 files; up to 5000 are read"):
            datasets_of([source(tmp_path, "many.zip", content)])


def test_an_archive_with_a_directory_of_many_megabytes_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(140):
            archive.writestr(f"{n}" + "x" * 60_000, b"")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ReadError, match="8 MB of names alone; up to 8 MB are read"):
        datasets_of([source(tmp_path, "names.zip", out.getvalue())])
