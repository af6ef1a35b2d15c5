"""A decay and the response of its instrument go in; lifetimes, flags and a logarithmic figure come out."""

from __future__ import annotations

import pytest

from analysis.models import Run, Value
from measurements.models import Measurement
from measurements.services.roles import roles_from_names
from samples.models import Sample, User
from tests.analysis.decay_reference import T_NS, irf
from tests.decay_files import DECAY, response, text, worked

pytestmark = pytest.mark.django_db


def fluotime() -> bytes:
    made = irf()
    head = (
        "Parameters:\n  Sample : glass\n  Exc_Wavelength : 375 nm\n  Sync_Frequency : 5000000 Hz\n\nData:\n"
    )
    rows = ["Time [ns]\tIRF [Cnts.]\tTime [ns]\tDecay [Cnts.]"]
    short = made.signal.values
    for k, count in enumerate(DECAY):
        left = f"{T_NS[k]:.4f}\t{short[k]:g}" if k < short.size else "\t"
        rows.append(f"{left}\t{T_NS[k]:.4f}\t{count:g}")
    return (head + "\n".join(rows) + "\n").encode()


def lifetime(row: Measurement) -> float:
    return Value.objects.get(measurement=row, property="trpl_tau_amp", current=True).value


@pytest.mark.parametrize("role", ["IRF", ""])
def test_a_decay_is_reconvolved_with_the_file_beside_it(alice: User, composite: Sample, role: str) -> None:
    """With the role “irf”, or by its name alone."""
    row = worked(alice, composite, ("vt_decay.txt", text(T_NS, DECAY), ""), ("vt_irf.txt", response(), role))
    run = Run.objects.get(measurement=row, method="trpl")
    assert run.status == "done", run.error
    assert set(run.inputs.values_list("role", flat=True)) == {"sample", "irf"}
    assert run.notes["fit"] == "reconvolution"
    assert run.warnings == []
    assert lifetime(row) == pytest.approx(12.5, abs=0.2)


def test_a_decay_alone_is_fitted_from_its_maximum_with_a_flag(alice: User, composite: Sample) -> None:
    row = worked(alice, composite, ("decay.txt", text(T_NS, DECAY), ""))
    run = Run.objects.get(measurement=row, method="trpl")
    assert run.notes["fit"] == "tail"
    assert any("No response of the instrument" in warning for warning in run.warnings)


def test_the_response_that_a_file_holds_beside_its_decay_is_used(alice: User, composite: Sample) -> None:
    row = worked(alice, composite, ("both.dat", fluotime(), ""))
    run = Run.objects.get(measurement=row, method="trpl")
    assert run.notes["fit"] == "reconvolution", run.notes
    assert lifetime(row) == pytest.approx(12.5, abs=0.2)


@pytest.mark.parametrize(
    ("technique", "names", "roles"),
    [
        ("trpl", ["F520_N0_raw.csv", "irf_520nm.csv"], ["", "irf"]),
        ("trpl", ["Prompt 375.txt", "VT-1.txt"], ["irf", ""]),
        ("trpl", ["irf_a.txt", "irf_b.txt"], ["", ""]),
        ("trpl", ["firfly.txt", "decay.txt"], ["", ""]),
        ("pl", ["irf.txt", "a.txt"], ["", ""]),
    ],
)
def test_the_response_is_told_by_its_name(technique: str, names: list[str], roles: list[str]) -> None:
    assert roles_from_names(technique, names) == roles
