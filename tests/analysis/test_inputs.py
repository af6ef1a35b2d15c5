"""Which dataset fills which role: by the role of its file, by its axes, by what it states."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from analysis import methods
from analysis.methods import LoadedMethod, Method, Property, Role
from analysis.methods._axes import fit, kind_of
from analysis.services.inputs import own_inputs

WAVES = {"name": "wavelength", "unit": "nm"}
TIME = {"name": "time", "unit": "s"}


def held(*axes, role="", conditions=(), title=""):
    return SimpleNamespace(
        axes=list(axes),
        file=SimpleNamespace(role=role),
        conditions={key: {} for key in conditions},
        title=title,
    )


def loaded(*roles):
    method = Method("Title", 1, (Property("some_level", "Level", "counts"),), "none", accepts=roles)
    return LoadedMethod("some", method, object, lambda datasets, params: None)


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("nm", "wavelength"), ("µm", "position"), ("h", "time"), ("eV", "energy"), ("", ""), ("deg", None)],
)
def test_the_unit_of_an_axis_tells_what_it_runs_over(unit, kind):
    assert kind_of(unit) == kind


def test_an_axis_that_does_not_say_may_be_anything_but_their_number_must_fit():
    assert fit(("wavelength",), [""])
    assert fit(("time",), ["1"])
    assert fit(("position", "position", "wavelength"), ["nm", "µm", "nm"])
    assert not fit(("wavelength",), ["s", "nm"])
    assert not fit(("wavelength",), ["eV"])


@pytest.mark.parametrize("kind", ["time", "temperature"])
@pytest.mark.parametrize("unit", ["", "1"])
def test_spectra_that_are_only_counted_are_no_series_over_time_or_temperature(kind, unit):
    assert not fit((kind, "wavelength"), [unit, "nm"])


def test_an_intensity_over_no_stated_unit_is_no_course_over_time():
    """It may as well be a spectrum or a count of frames: the run could only be refused."""
    followed = loaded(Role("sample", ("pl",), axes=("time",), told=True))
    counted, timed = held({"name": "frame", "unit": "1"}), held(TIME)
    assert own_inputs(followed, [counted]) == {}
    assert own_inputs(followed, [counted, timed]) == {"sample": timed}
    assert methods.get("photostability_trace").method.accepts[0].told


def test_a_series_does_not_go_to_a_method_for_one_spectrum():
    spectra = loaded(Role("sample", ("pl",), axes=("wavelength",)))
    series, one = held(TIME, WAVES), held(WAVES)
    assert own_inputs(spectra, [series]) == {}
    assert own_inputs(spectra, [series, one]) == {"sample": one}


def test_files_of_one_measurement_fill_the_roles_that_they_were_given():
    sphere = loaded(
        Role("on_beam", ("plqy",)), Role("empty", ("plqy",)), Role("off_beam", ("plqy",), required=False)
    )
    empty, on, off = held(WAVES, role="Empty"), held(WAVES, role="on beam"), held(WAVES, role="off-beam")
    assert own_inputs(sphere, [empty, off, on]) == {"empty": empty, "off_beam": off, "on_beam": on}


def test_a_curve_that_its_file_calls_by_a_role_fills_it_unless_the_file_was_given_another():
    decays = loaded(Role("sample", ("trpl",)), Role("irf", ("trpl",), required=False))
    response, decay = held(TIME, title="IRF"), held(TIME, title="Decay")
    assert own_inputs(decays, [response, decay]) == {"sample": decay, "irf": response}
    given = held(TIME, role="sample", title="IRF")
    assert own_inputs(decays, [given, decay]) == {"sample": given}


def test_the_first_role_takes_what_has_no_role_but_never_what_was_given_another():
    sphere = loaded(Role("on_beam", ("plqy",)), Role("empty", ("plqy",)))
    empty, plain = held(WAVES, role="empty"), held(WAVES)
    assert own_inputs(sphere, [empty, plain]) == {"empty": empty, "on_beam": plain}
    assert own_inputs(sphere, [empty]) == {"empty": empty}


def test_a_dataset_must_state_the_conditions_that_a_role_needs():
    stated = loaded(Role("sample", ("plqy",), conditions=("quantum_yield",)))
    silent, saying = held(WAVES), held(WAVES, conditions=("quantum_yield",))
    assert own_inputs(stated, [silent]) == {}
    assert own_inputs(stated, [silent, saying]) == {"sample": saying}
