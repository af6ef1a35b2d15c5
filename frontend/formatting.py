"""How numbers, units, times and origins are written: on pages, in figures and in text alike. Pure.

`682.83 ± 0.14 nm`: value and sigma to the same digit, sigma to two; a narrow no-break space before the unit;
a true minus. A text comes back as `Written`, so that a page may set value, sigma and unit in different ink.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

NARROW = "\u202f"
MINUS = "−"
NOT_RECORDED = "not recorded"
MARKS = {"measured": "●", "entered": "■", "published": "◇", "simulated": "✕", "predicted": "▲"}
ORIGIN_WORDS = {
    "measured": "measured",
    "entered": "entered by hand",
    "published": "published",
    "simulated": "simulated",
    "predicted": "predicted",
}
COMPARATORS = {"=": "", "~": "≈", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}

SIGNIFICANT_WITHOUT_SIGMA = 6
LARGEST_PLAIN_EXPONENT = 6  # 1 234 567 is still read at a glance, 12 345 678 is not
SMALLEST_PLAIN_EXPONENT = -4
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


@dataclass(frozen=True)
class Written:
    """A quantity in its parts; any of them may be empty."""

    comparator: str
    value: str
    sigma: str
    power: str
    unit: str

    def __str__(self) -> str:
        plus_minus = f" ± {self.sigma}" if self.sigma else ""
        number = f"{self.value}{plus_minus}"
        if self.power:
            number = f"({number})" if plus_minus else number
            number += f"{NARROW}×{NARROW}{self.power}"
        sign = f"{self.comparator}{NARROW}" if self.comparator else ""
        return sign + number + (f"{NARROW}{self.unit}" if self.unit else "")


def quantity(
    value: float | None,
    sigma: float | None = None,
    unit: str = "",
    *,
    upper: float | None = None,
    comparator: str = "=",
    as_percent: bool = False,
) -> Written:
    """A value with what is known about it. `upper` is the other end of a range and excludes a sigma.

    `as_percent`: stored as a fraction, written in %. An unknown value is "not recorded", never 0.
    """
    if value is None or not math.isfinite(value):
        return Written("", NOT_RECORDED, "", "", "")
    scale = 100 if as_percent else 1
    number = Decimal(repr(float(value))) * scale
    unit = "%" if as_percent else unit_text(unit)
    sign = COMPARATORS.get(comparator, comparator)
    if upper is not None and math.isfinite(upper):
        top = Decimal(repr(float(upper))) * scale
        return Written(sign, f"{_plain(number)} to {_plain(top)}", "", "", unit)
    if sigma is None or not math.isfinite(sigma) or sigma <= 0:
        mantissa, power = _with_power(number)
        return Written(sign, mantissa, "", power, unit)
    spread = Decimal(repr(float(sigma))) * scale
    exponent = max(number.adjusted() if number else spread.adjusted(), spread.adjusted())
    if SMALLEST_PLAIN_EXPONENT <= exponent <= LARGEST_PLAIN_EXPONENT:
        return Written(sign, *_to_the_digit_of(spread, number), "", unit)
    shift = Decimal(1).scaleb(-exponent)
    return Written(sign, *_to_the_digit_of(spread * shift, number * shift), _power(exponent), unit)


def number(value: float | None, digits: int = SIGNIFICANT_WITHOUT_SIGMA) -> str:
    """A bare number to `digits` significant digits, without trailing zeros."""
    if value is None or not math.isfinite(value):
        return NOT_RECORDED
    mantissa, power = _with_power(Decimal(repr(float(value))), digits)
    return f"{mantissa}{NARROW}×{NARROW}{power}" if power else mantissa


def with_unit(value: float | None, unit: str) -> str:
    """`20 °C min⁻¹`, or "not recorded"."""
    return str(quantity(value, unit=unit))


def percent(fraction: float | None, digits: int = SIGNIFICANT_WITHOUT_SIGMA) -> str:
    if fraction is None or not math.isfinite(fraction):
        return NOT_RECORDED
    return f"{_plain(Decimal(repr(float(fraction))) * 100, digits)}{NARROW}%"


def unit_text(unit: str) -> str:
    """`°C/min` → `°C min⁻¹`, `g/cm3` → `g cm⁻³`, `counts·nm` → `counts nm`; a pure number has none."""
    if unit in ("", "1"):
        return ""
    numerator, *denominators = unit.split("/")
    words = [_raised(word) for word in re.split(r"[ ·*]+", numerator) if word not in ("", "1")]
    for denominator in denominators:
        words += [_raised(word, below=True) for word in re.split(r"[ ·*]+", denominator) if word]
    return NARROW.join(words)


def sentence_case(name: str) -> str:
    """`wavelength` → `Wavelength`. A symbol keeps its letter: q is not Q, and μ(E) has no capital."""
    words = name.replace("_", " ")
    begins_with_a_word = re.match(r"[a-z]{3,}(?![^\s,;:-])", words) is not None
    return words[:1].upper() + words[1:] if begins_with_a_word else words


def mass(mass_g: float | None) -> str:
    """Grams as a balance shows them: milligrams below one gram."""
    if mass_g is None:
        return NOT_RECORDED
    return with_unit(mass_g * 1000, "mg") if 0 < mass_g < 1 else with_unit(mass_g, "g")


def duration_min(minutes: float | None) -> str:
    if minutes is None:
        return NOT_RECORDED
    return with_unit(minutes / 60, "h") if minutes >= 180 else with_unit(minutes, "min")


def grouped(count: int) -> str:
    """A count with narrow spaces between its thousands."""
    return _grouped(str(count))


def size(size_bytes: int) -> str:
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return with_unit(float(f"{amount:.3g}"), unit)


def _to_the_digit_of(spread: Decimal, value: Decimal) -> tuple[str, str]:
    """Value and sigma, both cut at the second digit of sigma."""
    last = Decimal(1).scaleb(spread.adjusted() - 1)
    sigma = spread.quantize(last, ROUND_HALF_EVEN)
    if sigma.adjusted() > spread.adjusted():  # 0.0996 becomes 0.10, which already has its two digits
        last = last.scaleb(1)
        sigma = spread.quantize(last, ROUND_HALF_EVEN)
    return _grouped(f"{value.quantize(last, ROUND_HALF_EVEN):f}"), _grouped(f"{sigma:f}")


def _with_power(value: Decimal, digits: int = SIGNIFICANT_WITHOUT_SIGMA) -> tuple[str, str]:
    if not value or SMALLEST_PLAIN_EXPONENT <= value.adjusted() <= LARGEST_PLAIN_EXPONENT:
        return _plain(value, digits), ""
    return _plain(value.scaleb(-value.adjusted()), digits), _power(value.adjusted())


def _plain(value: Decimal, digits: int = SIGNIFICANT_WITHOUT_SIGMA) -> str:
    if not value:
        return "0"
    last = min(value.adjusted() - digits + 1, 0)
    text = f"{value.quantize(Decimal(1).scaleb(last), ROUND_HALF_EVEN):f}"
    return _grouped(text.rstrip("0").rstrip(".") if "." in text else text)


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(_RAISED)}"


def _grouped(text: str) -> str:
    """Thousands apart from five digits on; a zero carries no minus."""
    if not text.strip("-0."):
        text = text.lstrip("-")
    whole, point, decimals = text.partition(".")
    sign, whole = (MINUS, whole[1:]) if whole.startswith("-") else ("", whole)
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", NARROW)
    return f"{sign}{whole}{point}{decimals}"


def _raised(word: str, *, below: bool = False) -> str:
    """`cm-1` → `cm⁻¹`; a word below the line turns its exponent's sign, also one that is raised already."""
    match = re.fullmatch(r"(.*?[^0-9\-−])([-−]?[0-9]+)", word.translate(_LOWERED))
    name, power = (match.group(1), int(match.group(2).replace(MINUS, "-"))) if match else (word, 1)
    power = -power if below else power
    return name if power == 1 else name + str(power).translate(_RAISED)
