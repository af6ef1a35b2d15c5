"""Reanalysis as one would write it first: a Celery task a file, the ORM for each row, lmfit for the fit."""

from __future__ import annotations

import hashlib
import os
import time

import django
import lmfit.models
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import numpy as np  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from analysis.curves import store_curves  # noqa: E402
from analysis.methods import Array, Curve  # noqa: E402
from analysis.models import Artifact, Run, RunInput, Value  # noqa: E402
from config import settings  # noqa: E402
from measurements.models import Measurement  # noqa: E402
from measurements.services import load  # noqa: E402

app = Celery("task_per_file", broker=settings.CELERY_BROKER_URL, set_as_current=False)
app.conf.update(task_ignore_result=True, task_default_queue="anchor")

METHOD, VERSION = "task_per_file", 2
MODEL = (
    lmfit.models.ConstantModel()
    + lmfit.models.GaussianModel(prefix="a_")
    + lmfit.models.GaussianModel(prefix="b_")
)
UNITS = {
    "center": "nm",
    "sigma": "nm",
    "amplitude": "counts·nm",
    "fwhm": "nm",
    "height": "counts",
    "c": "counts",
}


@app.task
def refit(measurement_pk: int, version: int) -> None:
    measurement = Measurement.objects.select_related("sample").get(pk=measurement_pk)
    row = measurement.datasets.select_related("blob").get(current=True)
    run = Run.objects.create(
        measurement=measurement,
        method=METHOD,
        method_version=version,
        identity=hashlib.sha256(f"{measurement_pk} {version}".encode()).hexdigest(),
        queued_at=timezone.now(),
        status="queued",
    )
    RunInput.objects.create(run=run, dataset=row, role="sample")
    began = time.perf_counter()
    dataset = load(row)
    found = fit(dataset.axes[0].values, dataset.signal.values)
    x = dataset.axes[0].values
    parts = found.eval_components()
    curves = [Curve("data", x, dataset.signal.values, "wavelength", "nm"), Curve("fit", x, found.best_fit)]
    curves += [Curve(f"component {p}", x, parts[p]) for p in ("a_", "b_")]
    curves += [Curve("residual", x, found.residual), Curve("offset", x, np.full(x.size, parts["constant"]))]
    blob = store_curves(curves)
    with transaction.atomic():
        Value.objects.filter(measurement=measurement, method=METHOD, current=True).update(current=False)
        for name, parameter in found.params.items():
            prefix, _, quantity = name.rpartition("_")
            Value.objects.create(
                run=run,
                measurement=measurement,
                sample=measurement.sample,
                method=METHOD,
                property=f"pl_{quantity}",
                component={"a": "I", "b": "II"}.get(prefix, ""),
                value=parameter.value,
                sigma=parameter.stderr or 0.0,
                unit=UNITS[quantity],
                origin="measured",
            )
        Artifact.objects.create(run=run, blob=blob, names=[curve.name for curve in curves])
        run.status, run.finished_at = "done", timezone.now()
        run.duration_s = time.perf_counter() - began
        run.notes = {"bic": found.bic, "aic": found.aic, "chisqr": found.chisqr}
        run.save()


def fit(x: Array, y: Array) -> lmfit.model.ModelResult:
    offset, top = float(np.percentile(y, 5)), float(x[np.argmax(y)])
    height = float(y.max()) - offset
    params = MODEL.make_params(c=offset)
    for prefix, center, sigma, part in (("a_", top, 18.0, 1.0), ("b_", top + 30.0, 9.0, 0.1)):
        params[prefix + "center"].value = center
        params[prefix + "sigma"].set(value=sigma, min=2.5, max=60)
        params[prefix + "amplitude"].set(value=part * height * sigma * 2.5, min=0)
    return MODEL.fit(y, params, x=x)
