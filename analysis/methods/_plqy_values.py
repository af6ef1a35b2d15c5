"""From photons in bands to a quantum yield, or to the sentence why there is none. Not a method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from analysis.methods._plqy_bands import Integrals, Windows
from analysis.methods.base import Array, MethodError, Result
from analysis.numerics import quantum_yield as sphere

LEAST_SIGNIFICANCE = 3.0
A_LOW, A_HIGH = 0.05, 0.98
BRIGHTER = 0.05  # off beam over empty, before it is remarked on


def filtered(found: Integrals, factor: float) -> Integrals:
    scale = np.array([factor if name.startswith("L_") else 1.0 for name in found.names])
    return replace(found, values=found.values * scale, covariance=found.covariance * np.outer(scale, scale))


def drifting(found: Integrals, drift: float) -> Integrals:
    covariance = found.covariance
    for letter in "abc":
        share = np.array([name.endswith(f"_{letter}") for name in found.names]) * found.values * drift
        covariance = covariance + np.outer(share, share)
    return replace(found, covariance=covariance)


def values(found: Integrals, shown: Windows, reabsorbed: float | None, said: list[str]) -> tuple[Result, ...]:
    if not found["L_a"] > 10 * found.sigma("L_a"):
        raise MethodError(
            f"The empty sphere shows no laser between {shown.laser[0]:g} and {shown.laser[1]:g} nm. Check "
            "the excitation, the windows, and which file is which."
        )
    asked = _formulas(found, reabsorbed)
    at = found.values[:, None]
    sigmas = sphere.spread(list(asked.values()), found.values, found.covariance)
    with np.errstate(all="ignore"):
        numbers = {key: float(function(at)[0]) for key, function in asked.items()}
    sigma = dict(zip(asked, sigmas, strict=True))
    _check_absorptance(numbers["plqy_absorptance"], sigma["plqy_absorptance"], found)
    _check_yield(numbers["plqy"], sigma["plqy"], said)
    if "plqy_reabsorbed" in asked and not 0 <= numbers["plqy_reabsorbed"] < 1:
        if numbers["plqy_reabsorbed"] < -LEAST_SIGNIFICANCE * sigma["plqy_reabsorbed"]:
            said.append("The reference is narrower than the sample at its blue side; nothing is corrected.")
        else:
            said.append("The reference shows no reabsorption; nothing is corrected.")
        del numbers["plqy_reabsorbed"], numbers["plqy_corrected"]
    said += _flags(numbers["plqy_absorptance"], numbers["plqy"], sigma["plqy"], found)
    return tuple(Result(key, value, sigma[key]) for key, value in numbers.items())


def _formulas(found: Integrals, reabsorbed: float | None) -> dict[str, Callable[[Array], Array]]:
    """Each value as a function of the integrals, (K, draws) → (draws,)."""

    def of(drawn: Array, name: str) -> Array:
        return np.asarray(drawn[found.names.index(name)]) if name in found else np.zeros(drawn.shape[1])

    def net(drawn: Array, name: str, empty: str) -> Array:
        return of(drawn, name) - of(drawn, empty)

    def absorbed(drawn: Array) -> Array:
        return sphere.absorptance(of(drawn, "L_b" if "L_b" in found else "L_a"), of(drawn, "L_c"))

    def phi(drawn: Array) -> Array:
        laser_a, laser_c = of(drawn, "L_a"), of(drawn, "L_c")
        if "L_b" not in found:
            return sphere.two_measurements(laser_a, laser_c, of(drawn, "P_a"), of(drawn, "P_c"))
        p_b, p_c = net(drawn, "P_b", "P_a"), net(drawn, "P_c", "P_a")
        return sphere.three_measurements(laser_a, of(drawn, "L_b"), laser_c, p_b, p_c)

    def again(drawn: Array) -> Array:
        if reabsorbed is not None:
            return np.full(drawn.shape[1], reabsorbed)
        p, red = net(drawn, "Q_c", "Q_a"), net(drawn, "R_c", "R_a")
        return sphere.reabsorbed_share(p, red, of(drawn, "P_0"), of(drawn, "R_0"))

    formulas: dict[str, Callable[[Array], Array]] = {"plqy": phi, "plqy_absorptance": absorbed}
    if reabsorbed is not None or "R_0" in found:
        formulas["plqy_corrected"] = lambda drawn: sphere.without_reabsorption(phi(drawn), again(drawn))
    if "R_0" in found:
        formulas["plqy_reabsorbed"] = again
    return formulas


def _check_absorptance(share: float, sigma: float, found: Integrals) -> None:
    if share > LEAST_SIGNIFICANCE * sigma and share > 0:
        return
    if share < -LEAST_SIGNIFICANCE * sigma:
        against = "off beam" if "L_b" in found else "in the empty sphere"
        raise MethodError(
            f"With the sample on the beam there is more laser than {against} (L_c is {1 - share:.3g} of it), "
            "so nothing was absorbed. Are the files in each other’s role, or were they exposed for other "
            "times without saying so?"
        )
    raise MethodError(
        f"The sample absorbs {share:.2%} ± {sigma:.2%} of the laser, no more than the noise. Put more of it "
        "on the beam, or measure longer."
    )


def _check_yield(value: float, sigma: float, said: Sequence[str]) -> None:
    if not np.isfinite(value) or not np.isfinite(sigma):
        raise MethodError("The integrals give no finite quantum yield; check which file is which.")
    if value > 1:
        raise MethodError(
            f"The quantum yield would be {value:.3g} ± {sigma:.2g}, above 1. Check the sphere calibration, "
            "whether the laser saturated the detector, the factor of its filter, and which file is which."
            + "".join(f" {sentence}" for sentence in said)
        )
    if value < -LEAST_SIGNIFICANCE * sigma:
        raise MethodError(
            f"The quantum yield would be {value:.3g} ± {sigma:.2g}: without the sample on the beam there is "
            "more light in the emission window than with it. Check which file is which, and the windows."
        )


def _flags(share: float, value: float, sigma: float, found: Integrals) -> list[str]:
    said = []
    if share < A_LOW:
        said.append(f"Only {share:.1%} of the laser is absorbed; below 5 % a small drift of the laser tells.")
    if share > A_HIGH:
        said.append(
            f"{share:.1%} of the laser is absorbed; above 98 % what is left of it is hardly told from stray "
            "light."
        )
    if value < LEAST_SIGNIFICANCE * sigma:
        said.append("No emission stands above the empty sphere: the quantum yield is not told from zero.")
    if "L_b" in found and found["L_b"] > (1 + BRIGHTER) * found["L_a"]:
        more = found["L_b"] / found["L_a"] - 1
        said.append(
            f"There is {more:.0%} more laser with the sample off the beam than in the empty sphere: the "
            "laser drifted, or the files are in each other’s role."
        )
    if "P_b" in found and "P_a" in found:
        off = found["P_b"] - found["P_a"]
        if off < -LEAST_SIGNIFICANCE * float(np.hypot(found.sigma("P_a"), found.sigma("P_b"))):
            said.append("The empty sphere emits more than with the sample in it, off the beam.")
    return said
