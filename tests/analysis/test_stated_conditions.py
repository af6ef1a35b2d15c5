"""What a sender says of a measurement reaches the methods, and stands with the run."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from analysis.models import Run, RunInput
from analysis.services import request_run
from analysis.services.gathering import jobs
from analysis.services.inputs import stated
from measurements.data import Quantity
from measurements.models import Dataset, Measurement

METHOD = "pl_descriptors"


def conditions_seen(run: Run) -> dict[str, Any]:
    with ExitStack() as borrowed:
        (job,) = jobs([run], borrowed, {})
        return dict(job.inputs()["sample"].conditions)


def test_a_method_sees_what_the_sender_said_in_the_unit_of_the_vocabulary(measured: Any) -> None:
    said = {"temperature": {"value": 77, "unit": "K"}, "mood": {"value": 1, "unit": ""}, "gas": "N2"}
    run, _ = request_run(measured(conditions=said), METHOD)
    assert conditions_seen(run)["temperature"] == Quantity(-196.15, "°C")
    assert RunInput.objects.get(run=run).conditions == {
        "temperature": {"value": -196.15, "unit": "°C"},
        "gas": {"value": "N2", "unit": ""},
    }


def test_a_column_of_a_manifest_whose_name_ends_with_its_unit_reaches_the_method(measured: Any) -> None:
    run, _ = request_run(measured(conditions={"temperature_k": 77, "excitation_wavelength_nm": 440}), METHOD)
    seen = conditions_seen(run)
    assert seen["temperature"] == Quantity(-196.15, "°C")
    assert seen["excitation_wavelength"] == Quantity(440.0, "nm")


def test_without_a_word_the_dataset_is_that_of_the_file(measured: Any) -> None:
    run, _ = request_run(measured(), METHOD)
    assert RunInput.objects.get(run=run).conditions == {}
    assert "temperature" not in conditions_seen(run)


def test_another_temperature_is_another_question(measured: Any) -> None:
    measurement = measured(conditions={"temperature": {"value": 77, "unit": "K"}})
    cold, _ = request_run(measurement, METHOD)
    Measurement.objects.filter(pk=measurement.pk).update(
        conditions={"temperature": {"value": 25, "unit": "°C"}}
    )
    warm, created = request_run(Measurement.objects.get(pk=measurement.pk), METHOD)
    assert created
    assert conditions_seen(cold)["temperature"] == Quantity(-196.15, "°C")
    assert conditions_seen(warm)["temperature"] == Quantity(25.0, "°C")
    assert request_run(Measurement.objects.get(pk=measurement.pk), METHOD)[0] == warm


def test_the_person_wins_over_the_file_but_not_what_another_dataset_says_of_itself(measured: Any) -> None:
    measurement = measured()
    dataset = Dataset.objects.get(measurement=measurement)
    hot, cold = ({"temperature": {"value": value, "unit": "°C"}} for value in (300.0, 20.0))
    dataset.conditions = cold
    dataset.save()
    Measurement.objects.filter(pk=measurement.pk).update(conditions=hot)
    assert stated(Dataset.objects.get(pk=dataset.pk)) == hot
    dataset.pk, dataset.number, dataset.conditions = None, 1, hot
    dataset.save()
    assert stated(Dataset.objects.get(measurement=measurement, number=0)) == {}


def test_a_file_that_is_silent_does_not_get_what_another_file_says_of_itself(measured: Any) -> None:
    """Of an integrating sphere one file may state its exposure and another not: it is not the same one."""
    measurement = measured()
    exposure = {"exposure_time": {"value": 0.5, "unit": "s"}}
    dataset = Dataset.objects.get(measurement=measurement)
    dataset.pk, dataset.number, dataset.conditions = None, 1, exposure
    dataset.save()
    Measurement.objects.filter(pk=measurement.pk).update(conditions=exposure)
    assert stated(Dataset.objects.get(measurement=measurement, number=0)) == {}
