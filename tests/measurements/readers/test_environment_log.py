"""Logs of sensors with date and time in several spellings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.mutations import offences

HOBO = (
    '"Plot Title: glove box"\n'
    '"#","Date Time, GMT+02:00","Temp, °C","RH, %"\n'
    "1,05/04/26 10:00:00 AM,22.5,41.0\n2,05/04/26 10:05:00 AM,22.6,41.5\n3,05/04/26 10:10:00 AM,,42.0\n"
    "4,05/05/26 10:15:00 AM,22.9,40.0\n"
)


def read(content: str, folder: Path) -> list[Dataset]:
    path = folder / "log"
    path.write_text(content)
    reader = readers.recognise(path.read_bytes(), "log.csv")
    assert reader is not None
    assert reader.key == "environment_log"
    return readers.read(reader, path)


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [
        (("2026-05-04T10:00:00", "2026-05-04T10:00:30.5", "2026-05-05T10:00:00"), [0, 30.5, 86400]),
        (("2026/05/04 10:00", "2026/05/04 10:01", "2026/05/04 10:02"), [0, 60, 120]),
        (("04.05.2026 23:59:00", "05.05.2026 00:00:00", "05.05.2026 00:01:00"), [0, 60, 120]),
        (("31/05/2026 10:00:00", "01/06/2026 10:00:00", "02/06/2026 10:00:00"), [0, 86400, 172800]),
        (("05/31/2026 11:59 PM", "06/01/2026 12:00 AM", "06/01/2026 12:01 AM"), [0, 60, 120]),
    ],
)
def test_stamps_of_many_spellings_are_seconds_since_the_first(
    tmp_path: Path, stamps: tuple[str, ...], seconds: list[float]
) -> None:
    rows = "".join(f"{stamp};{20 + n},5;{40 + n}\n" for n, stamp in enumerate(stamps))
    temperature, humidity = read(f"Zeit;Temperatur (°C);rF (%)\n{rows}", tmp_path)
    assert temperature.axes[0].values.tolist() == seconds
    assert (temperature.signal.name, temperature.signal.unit) == ("Temperatur", "°C")
    assert temperature.signal.values.tolist() == [20.5, 21.5, 22.5]
    assert humidity.signal.values.tolist() == [40, 41, 42]
    assert temperature.acquired_at is None
    assert temperature.conditions["local_time"].value == stamps[0]
    assert temperature.technique == "environment"


def test_a_date_and_a_time_in_two_columns_belong_together(tmp_path: Path) -> None:
    (light,) = read(
        "Date\tTime\tLight lux\n2026-05-04\t10:00:00\t300\n2026-05-04\t10:00:10\t310\n"
        "2026-05-04\t10:00:20\t320\nend of log\n",
        tmp_path,
    )
    assert light.axes[0].values.tolist() == [0, 10, 20]
    assert (light.signal.name, light.signal.unit) == ("Light", "lux")
    assert light.header["line 5"] == "end of log"


def test_a_zone_in_the_title_makes_the_moment_known_and_an_empty_cell_a_gap(tmp_path: Path) -> None:
    temperature, humidity = read(HOBO, tmp_path)
    assert temperature.axes[0].values.tolist() == [0, 300, 600, 87300]  # month first: no gap of 30 days
    assert temperature.acquired_at == datetime(2026, 5, 4, 8, tzinfo=UTC)
    assert temperature.signal.unit == "°C"
    assert np.isnan(temperature.signal.values[2])
    assert humidity.signal.values.tolist() == [41, 41.5, 42, 40]


def test_dates_that_could_be_either_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"0{n}/0{n}/2026 10:00,1\n" for n in (1, 2, 3))
    with pytest.raises(ReadError, match="day/month or month/day"):
        read("t,x\n" + rows.replace("02/02", "02/03"), tmp_path)


def test_a_mutilated_log_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(HOBO)
    assert list(offences(readers.get("environment_log"), path)) == []
