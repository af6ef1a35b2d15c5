"""The laboratory's short names for composites: what they say, and how they are written.

`(CsPbI3)(agZIF-62)(25/75)`     a mixture of powders, 25 wt% perovskite
`(CsPbI3)0.25(agZIF-62)0.75`    the composite sintered from it; subscripts are mass fractions, not moles
`agZIF-62 bIm0.05`              one pure substance

All three may carry a note (`…0.75, extended milling`). Reading forgives how people type and how PDFs are
scanned (a_g, wt %, ₂₅, CsPbl3); writing knows one form only, and `parse(str(notation)) == notation`.
A text that says no such thing raises `NotationError` with a sentence; nothing else escapes.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import fsum
from typing import Literal

from samples.stoichiometry import FRACTION_SUM_TOLERANCE, FormulaError, typed_text

State = Literal["mixture", "composite", "pure"]

LONGEST_NOTATION = 300
EXAMPLES = "(CsPbI3)0.25(agZIF-62)0.75 for a composite or (CsPbI3)(agZIF-62)(25/75) for a mixture"


class NotationError(ValueError):
    """A text that names no mixture, composite or pure substance; the message says what to write instead."""


@dataclass(frozen=True)
class Part:
    name: str
    mass_fraction: float

    @property
    def is_framework(self) -> bool:
        """Whether the name is that of a metal-organic framework or its glass (ZIF-62, agZIF-62 bIm0.25)."""
        return bool(_FRAMEWORK.match(self.name))


@dataclass(frozen=True)
class Notation:
    parts: tuple[Part, ...]
    state: State
    note: str = ""

    def __post_init__(self) -> None:
        total = fsum(part.mass_fraction for part in self.parts)
        if not all(0 <= part.mass_fraction <= 1 for part in self.parts):
            raise NotationError("A mass fraction must lie between 0 and 1.")
        if not abs(total - 1) <= FRACTION_SUM_TOLERANCE:
            raise NotationError(f"The mass fractions add up to {total:.4g}; they must add up to 1.")
        if (self.state == "pure") != (len(self.parts) == 1):
            raise NotationError("A mixture or composite has two parts or more, a pure substance has one.")

    @property
    def loading(self) -> float:
        """Mass fraction of the perovskite, which by convention is the first part.

        A pure framework or glass is the empty end of the series: 0.
        """
        return 0.0 if self.state == "pure" and self.parts[0].is_framework else self.parts[0].mass_fraction

    def __str__(self) -> str:
        return _written(self, str, str)


def parse(text: str) -> Notation:
    plain = _repaired(text)
    groups, rest = _groups(plain)
    if groups and (ratio := _RATIO.fullmatch(groups[-1].name)):
        return _mixture(groups[:-1], ratio, rest)
    if len(groups) > 1 or any(group.digits for group in groups):
        return _composite(groups, rest)
    return _pure(plain)


def to_html(text: str) -> str:
    """The notation as escaped HTML with real subscripts; a text that is no notation is only escaped."""
    try:
        return _written(parse(text), formula_html, lambda number: f"<sub>{number}</sub>", html.escape)
    except NotationError:
        return html.escape(text)


def to_unicode(text: str) -> str:
    """The notation with Unicode subscripts, for places that hold text only; other text as it is."""
    try:
        return _written(parse(text), formula_unicode, _lowered)
    except NotationError:
        return text


def formula_html(formula: str) -> str:
    """A formula or framework name as escaped HTML: CsPbI<sub>3</sub>, a<sub>g</sub>ZIF-62."""
    glass, name = ("a<sub>g</sub>", formula[2:]) if _GLASS.match(formula) else ("", formula)
    pieces = _SUBSCRIPT.split(name)
    return glass + "".join(
        f"<sub>{html.escape(piece)}</sub>" if index % 2 else html.escape(piece)
        for index, piece in enumerate(pieces)
    )


def formula_unicode(formula: str) -> str:
    return _SUBSCRIPT.sub(lambda match: _lowered(match.group()), formula)


_GLASS = re.compile(r"ag(?=[A-Z])")
_FRAMEWORK = re.compile(r"(?:ag)?(?:[A-Z][A-Za-z]*[A-Z]-[0-9]|[A-Z][A-Z0-9]+-[0-9])|ag[A-Z]")
_SUBSCRIPT = re.compile(r"(?<=[A-Za-z)\]])([0-9]+(?:\.[0-9]+)?(?:-x)?)")


def _lowered(digits: str) -> str:
    return digits.translate(str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋"))


def _written(
    notation: Notation,
    name: Callable[[str], str],
    subscript: Callable[[str], str],
    words: Callable[[str], str] = str,
) -> str:
    note = f", {words(notation.note)}" if notation.note else ""
    if notation.state == "pure":
        return name(notation.parts[0].name) + note
    if notation.state == "mixture":
        ratio = "/".join(_shortest(part.mass_fraction, percent=True) for part in notation.parts)
        return "".join(f"({name(part.name)})" for part in notation.parts) + f"({ratio})" + note
    return (
        "".join(f"({name(part.name)}){subscript(_shortest(part.mass_fraction))}" for part in notation.parts)
        + note
    )


def _shortest(fraction: float, *, percent: bool = False) -> str:
    """The shortest digits that read back as the same float; a fraction with two decimals at least."""
    exact = Decimal(repr(fraction)) * (100 if percent else 1)
    digits = f"{exact.normalize():f}"
    if percent:
        return digits
    whole, _, decimals = digits.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def _repaired(text: str) -> str:
    """What was meant, where typing, markup or scanning spoilt it in a known way."""
    try:
        plain = typed_text(re.sub(r"</?su[bp]>", "", text), LONGEST_NOTATION)
    except FormulaError as error:
        raise NotationError(str(error)) from error
    for pattern, replacement in _REPAIRS:
        plain = pattern.sub(replacement, plain)
    if not plain:
        raise NotationError(f"The notation is empty; write {EXAMPLES}.")
    return plain


_REPAIRS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"\ba ?_? ?\{?g\}? ?_? ?-?(?=[A-Z][A-Za-z]*[A-Z]\b|[A-Z]{2,}[- ]?[0-9])", "ag"),  # a_g, a{g}, a g
        (r"\b((?:ag)?(?:ZIF|TIF|MIL|UiO|MOF|HKUST))[ _]?(?=[0-9])", r"\1-"),  # ZIF62, ZIF 62
        (r"(?<=Pb)l(?![a-z])|(?<=Cs)l(?![a-z])|(?<=Br,)l|(?<=[(,])l(?=,Br)", "I"),  # scanned l for I
        (r"(?<=PbC)1(?=3)", "l"),  # scanned 1 for l in CsPbCl3
        (r"(?<![A-Za-z])[yY]-(?=Cs|Rb|CH|FA|MA)", "γ-"),  # scanned y for γ
        (r"(?<=\))[Oo](?=[.,][0-9])", "0"),  # scanned O for 0
        (
            r"(?<=[A-Za-z]) ?\(bIm ?([0-9]+(?:\.[0-9]+)?)\)|(?<=[0-9]) ?\(bIm ?([0-9]+(?:\.[0-9]+)?)\)",
            r" bIm\1\2",
        ),
        (r"(?<=ZIF-62)bIm(?=[0-9])", " bIm"),
    ]
]

_AMOUNT = re.compile(
    r" ?(?P<digits>[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)"
    r" ?(?P<unit>wt\.? ?%|mass[ -]?%|%|wt\b|mol|vol|at\.? ?%|percent|weight percent)?"
)
_RATIO = re.compile(r"(?P<numbers>[0-9.,]+(?: ?[/:] ?[0-9.,]+)+) ?(?P<unit>wt\.? ?%|%|mol.*|vol.*)?")
_NAME = re.compile(r"[A-Za-zαβγδ(\[][A-Za-z0-9αβγδ()\[\]{},.·+_ -]*")


@dataclass(frozen=True)
class _Group:
    """One pair of brackets and the number behind it, as typed."""

    name: str
    digits: str | None
    unit: str | None


def _groups(plain: str) -> tuple[list[_Group], str]:
    """`(A)0.25(B)0.75 rest` → two groups and the rest."""
    groups: list[_Group] = []
    rest = plain
    while rest.lstrip().startswith("("):
        rest = rest.lstrip()
        end = _closing(rest)
        amount = _AMOUNT.match(rest, end + 1)
        digits, unit = (amount.group("digits"), amount.group("unit")) if amount else (None, None)
        groups.append(_Group(rest[1:end].strip(), digits, unit))
        rest = rest[amount.end() if amount else end + 1 :]
    return groups, rest


def _closing(text: str) -> int:
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return position
    raise NotationError(f"A bracket is opened and never closed; write {EXAMPLES}.")


def _composite(groups: list[_Group], rest: str) -> Notation:
    for group in groups:
        if group.digits is None:
            raise NotationError(f"({group.name[:60]}) has no mass fraction behind it; write {EXAMPLES}.")
    digits = [group.digits for group in groups if group.digits is not None]
    return _checked(
        [group.name for group in groups], digits, [group.unit for group in groups], "composite", rest
    )


def _mixture(groups: list[_Group], ratio: re.Match[str], rest: str) -> Notation:
    if any(group.digits for group in groups):
        raise NotationError(f"Give either subscripts or a ratio at the end, not both: {EXAMPLES}.")
    digits = re.split(" ?[/:] ?", ratio.group("numbers"))
    if len(digits) != len(groups):
        raise NotationError(f"{len(groups)} parts and {len(digits)} numbers do not match; write {EXAMPLES}.")
    return _checked([group.name for group in groups], digits, [ratio.group("unit")], "mixture", rest)


def _checked(
    names: list[str], digits: list[str], units: list[str | None], state: State, rest: str
) -> Notation:
    if any(unit and unit.startswith(("mol", "vol", "at")) for unit in units):
        raise NotationError(
            "The notation holds mass fractions; convert mole, volume or atomic fractions first."
        )
    try:
        numbers = [Decimal(number.replace(",", ".")) for number in digits]
    except ArithmeticError as error:
        raise NotationError(f"“{'/'.join(digits)[:60]}” is no ratio of numbers; write {EXAMPLES}.") from error
    total = sum(numbers, Decimal(0))
    if any(units) or abs(total - 100) <= 100 * _TOLERANCE:
        numbers = [number / 100 for number in numbers]
    if abs(sum(numbers, Decimal(0)) - 1) > _TOLERANCE:
        raise NotationError(
            f"The mass fractions add up to {float(total):.4g}; they must add up to 1 or 100 %."
        )
    parts = tuple(Part(_name(n), float(f)) for n, f in zip(names, numbers, strict=True))
    return Notation(parts, state if len(parts) > 1 else "pure", _note(rest))


_TOLERANCE = Decimal(str(FRACTION_SUM_TOLERANCE))


def _pure(plain: str) -> Notation:
    said_pure = re.match(r"pure ", plain, re.IGNORECASE)
    text = plain[said_pure.end() :] if said_pure else plain
    end = _end_of_name(text)
    name, rest = text[:end], text[end:]
    note = _note(rest)
    separated = said_pure or rest.startswith((",", " ("))
    if note and not separated and re.search(r"[0-9%]", note):
        raise NotationError(f"“{plain[:60]}” gives numbers without brackets; write {EXAMPLES}.")
    return Notation((Part(_name(name), 1.0),), "pure", note)


def _end_of_name(text: str) -> int:
    """Where the first word ends: at a space or comma outside brackets, a linker such as bIm0.05 included."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth <= 0 and character in " ,;":
            linker = re.match(r" bIm[0-9.]*[0-9]", text[position:])
            return position + linker.end() if linker else position
    return len(text)


def _name(name: str) -> str:
    name = name.strip()
    depth = 0
    for character in name:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            break
    if depth or len(name) > 100 or not _NAME.fullmatch(name) or not re.search("[A-Za-z]", name):
        raise NotationError(f"“{name[:60]}” is not the name of a substance; write {EXAMPLES}.")
    return name


def _note(rest: str) -> str:
    note = rest.strip(" ,;-")
    if note.startswith("(") and note.endswith(")") and _closing(note) == len(note) - 1:
        note = note[1:-1].strip(" ,;-")
    return note
