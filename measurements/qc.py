"""What is odd about a dataset, in sentences. The numbers are kept as they are."""

from __future__ import annotations

import numpy as np

from measurements.data import Dataset

FEW_POINTS = 10
SATURATED_RUN = 5


def remarks(dataset: Dataset) -> list[str]:
    """For people, on the measurement's page; a method decides for itself what it can use."""
    y = dataset.signal.values
    said = []
    missing = int(np.count_nonzero(~np.isfinite(y)))
    if missing:
        said.append(f"{missing} of {y.size} values of the signal are not finite numbers.")
    for axis in dataset.axes:
        steps = np.diff(axis.values)
        if not axis.unit:
            said.append(f"The file does not give the unit of “{axis.name}”.")
        if steps.size and not (np.all(steps > 0) or np.all(steps < 0)):
            repeated = int(np.count_nonzero(steps == 0))
            kind = (
                f"repeats {repeated} values"
                if np.all(steps >= 0) or np.all(steps <= 0)
                else "goes back and forth"
            )
            said.append(f"The axis “{axis.name}” {kind}.")
        if axis.values.size < FEW_POINTS:
            said.append(f"The axis “{axis.name}” has only {axis.values.size} points.")
    if y.ndim == 1 and _flat_top(y):
        said.append(
            "The highest value is repeated several times in a row: the detector may have been saturated."
        )
    errors = dataset.signal.errors
    if errors is not None and np.any(errors == 0):
        said.append("Some of the errors that the file gives are zero.")
    return said


def _flat_top(y: np.ndarray) -> bool:
    """Whether the maximum stands at least five times side by side, and is not simply a constant signal."""
    finite = y[np.isfinite(y)]
    if finite.size < 2 * SATURATED_RUN or finite.max() == finite.min():
        return False
    top = np.concatenate([[0], (y == finite.max()).astype(int), [0]])
    starts, stops = np.flatnonzero(np.diff(top) == 1), np.flatnonzero(np.diff(top) == -1)
    return bool((stops - starts).max() >= SATURATED_RUN)
