"""The curves of a run (data, fit, components, residual), kept like datasets: NXdata in HDF5, by content."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.methods import Curve
from analysis.models import Artifact
from measurements.data import Axis, Dataset, Signal
from measurements.models import Blob
from measurements.services import keep_datasets, load_named


def store_curves(curves: Sequence[Curve]) -> Blob | None:
    return keep_datasets({curve.name: _dataset(curve) for curve in curves}) if curves else None


def load_curves(artifact: Artifact) -> list[Curve]:
    """In the order in which the method gave them."""
    datasets = load_named(artifact.blob)
    return [_curve(name, datasets[name]) for name in artifact.names]


def _dataset(curve: Curve) -> Dataset:
    return Dataset(
        signal=Signal(curve.y_name or "y", curve.y_unit, np.asarray(curve.y, float)),
        axes=(Axis(curve.x_name or "x", curve.x_unit, np.asarray(curve.x, float)),),
    )


def _curve(name: str, dataset: Dataset) -> Curve:
    (axis,), signal = dataset.axes, dataset.signal
    return Curve(name, axis.values, signal.values, axis.name, axis.unit, signal.name, signal.unit)
