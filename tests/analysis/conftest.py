from __future__ import annotations

from collections.abc import Callable

import pytest

from measurements.models import Measurement
from measurements.services import read_measurement, receive
from samples.models import Sample, User
from tests.spectra import spectrum_file

Measured = Callable[..., Measurement]


@pytest.fixture
def measured(alice: User, composite: Sample) -> Measured:
    """A PL spectrum that was uploaded and read; each seed is another file."""

    def measure(seed: int = 1, sample: Sample | None = composite, **received: object) -> Measurement:
        receipt = receive(
            user=alice,
            files=[spectrum_file(seed)],
            sample_code=sample.code if sample else None,
            technique="pl",
            **received,  # type: ignore[arg-type]
        )
        read_measurement(receipt.measurement)
        receipt.measurement.refresh_from_db()
        assert receipt.measurement.status == "read", receipt.measurement.error
        return receipt.measurement

    return measure
