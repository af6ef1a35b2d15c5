"""How much each point of a sphere's spectra scatters; not a method (the underscore says so)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.methods.base import Array, MethodError
from analysis.numerics.peaks import FOURTH_DIFFERENCE

MEDIAN_OF_CHI_SQUARE = 0.4549  # with one degree of freedom
ENOUGH_TO_DOUBT = 40  # points, before counts are said not to be Poisson's
MIN_COUNTS = 5.0
MIN_POINTS = 12
OUTLIER = 3.5
NEIGHBOURS = 25
AUTO, POISSON, SCATTER = "auto", "poisson", "scatter"


def variances(spectra: Sequence[Array], quiet: Sequence[slice], model: str) -> tuple[list[Array], str]:
    """(N,) variance of every point of every spectrum, and what it was taken to be, in words.

    spectra : counts as they were read
    quiet : of each the stretch without the laser's line, which is too narrow to show its own noise
    model : "poisson", "scatter", or "auto": Poisson for whole numbers that scatter like counts
    """
    if model == POISSON or (model == AUTO and _are_counts(spectra, quiet)):
        if min(float(y.min()) for y in spectra) < -MIN_COUNTS:
            raise MethodError(
                "Some counts are negative, so they are not what a detector counted. Choose noise=scatter."
            )
        return [np.maximum(y, 1.0) for y in spectra], "Poisson, from the counts"
    floor, per_count = _fitted([y[part] for y, part in zip(spectra, quiet, strict=True)])
    found = [floor + per_count * np.maximum(y, 0.0) for y in spectra]
    for y, part, variance in zip(spectra, quiet, found, strict=True):
        variance[part] = _local(y[part], variance[part])
    return (
        found,
        f"scatter of neighbouring points; in the laser’s line {floor:.4g} + {per_count:.4g} × signal",
    )


def _local(y: Array, expected: Array) -> Array:
    """(N,) mean squared difference of the points around: a detector may be noisier at one end. Where there
    are too few of them, what is expected of the signal."""
    if y.size < NEIGHBOURS:
        return expected
    squares, _ = _differences([y])
    limit = OUTLIER**2 * np.maximum(float(np.median(squares)) / MEDIAN_OF_CHI_SQUARE, expected[2:-2])
    kept = np.pad(np.minimum(squares, limit), 2, mode="edge")
    half = NEIGHBOURS // 2
    mean = np.convolve(np.pad(kept, half, mode="reflect"), np.full(2 * half + 1, 1 / (2 * half + 1)), "valid")
    return np.asarray(np.maximum(mean, expected.min() * 1e-6))


def _are_counts(spectra: Sequence[Array], quiet: Sequence[slice]) -> bool:
    if not all(np.all(y >= 0) and np.all(y == np.round(y)) for y in spectra):
        return False
    squares, levels = _differences([y[part] for y, part in zip(spectra, quiet, strict=True)])
    plenty = levels >= MIN_COUNTS
    if plenty.sum() < ENOUGH_TO_DOUBT:
        return True
    ratio = float(np.median(squares[plenty] / levels[plenty])) / MEDIAN_OF_CHI_SQUARE
    return 0.5 < ratio < 2.0


def _differences(quiet: Sequence[Array]) -> tuple[Array, Array]:
    """Squared fourth differences, each the variance on average, and the mean signal that each belongs to."""
    squares, levels = [np.empty(0)], [np.empty(0)]
    for y in quiet:
        if y.size >= FOURTH_DIFFERENCE.size:
            squares.append(np.convolve(y, FOURTH_DIFFERENCE, mode="valid") ** 2 / 70)
            levels.append(np.convolve(y, FOURTH_DIFFERENCE**2, mode="valid") / 70)
    return np.concatenate(squares), np.concatenate(levels)


def _fitted(quiet: Sequence[Array]) -> tuple[float, float]:
    """floor + per_count · signal, by regression with weights for the squares of normal numbers."""
    squares, levels = _differences(quiet)
    if squares.size < MIN_POINTS:
        raise MethodError(
            f"Only {squares.size + 4} points lie outside the laser’s band, too few to see their scatter. "
            "Send spectra with more points, or choose noise=poisson for raw counts."
        )
    levels = np.maximum(levels, 0.0)
    floor, per_count = _first_guess(squares, levels)
    least = max(float(np.median(squares)), float(np.max(np.abs(levels))) ** 2 * 1e-24, 1e-200) * 1e-6
    for _ in range(8):
        expected = np.maximum(floor + per_count * levels, least)
        kept = squares <= OUTLIER**2 * expected
        if kept.sum() < MIN_POINTS:
            break
        floor, per_count = _weighted(squares[kept], levels[kept], expected[kept])
    return max(floor, least), per_count


def _first_guess(squares: Array, levels: Array) -> tuple[float, float]:
    """From medians, which a line of the lamp among the points does not move."""
    low, high = levels <= 0.2 * levels.max(), levels >= 0.5 * levels.max()
    if min(low.sum(), high.sum()) < MIN_POINTS:
        return float(np.median(squares)) / MEDIAN_OF_CHI_SQUARE, 0.0
    foot, head = (float(np.median(squares[part])) / MEDIAN_OF_CHI_SQUARE for part in (low, high))
    rise = float(levels[high].mean() - levels[low].mean())
    per_count = max((head - foot) / rise, 0.0) if rise > 0 else 0.0
    return max(foot - per_count * float(levels[low].mean()), 0.0), per_count


def _weighted(squares: Array, levels: Array, expected: Array) -> tuple[float, float]:
    scale = float(levels.max()) or 1.0
    weights = (expected.min() / expected) ** 2
    u = levels / scale
    total, first, second = weights.sum(), weights @ u, weights @ u**2
    one, other = weights @ squares, weights @ (squares * u)
    determinant = total * second - first**2
    if determinant <= 1e-9 * total * second:
        return float(one / total), 0.0
    per_count = (total * other - first * one) / determinant
    floor = (second * one - first * other) / determinant
    if per_count < 0:
        return float(one / total), 0.0
    if floor < 0:
        return 0.0, float(other / second) / scale
    return float(floor), float(per_count) / scale
