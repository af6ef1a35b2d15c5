"""Chemical formulas: what a text says, atom by atom, and what that weighs."""

import re
import unicodedata
from collections.abc import Mapping
from math import fsum

# Standard atomic weights of 2021: T. Prohaska et al., Pure Appl. Chem. 94 (2022) 573, 10.1515/pac-2019-0603.
# Full digits, because the five digits of the abridged table give 720.81, not 720.82 g/mol, for CsPbI3. Where
# the standard is an interval (H, C, N, O, Br, Pb, …) this is its conventional value. Elements without a
# standard weight (Tc, Pm, Po, …) are absent: their mass depends on the isotope.
_TABLE = """
H 1.008   He 4.002602   Li 6.94   Be 9.0121831   B 10.81   C 12.011
N 14.007   O 15.999   F 18.998403162   Ne 20.1797   Na 22.98976928   Mg 24.305
Al 26.9815384   Si 28.085   P 30.973761998   S 32.06   Cl 35.45   Ar 39.95
K 39.0983   Ca 40.078   Sc 44.955907   Ti 47.867   V 50.9415   Cr 51.9961
Mn 54.938043   Fe 55.845   Co 58.933194   Ni 58.6934   Cu 63.546   Zn 65.38
Ga 69.723   Ge 72.630   As 74.921595   Se 78.971   Br 79.904   Kr 83.798
Rb 85.4678   Sr 87.62   Y 88.905838   Zr 91.224   Nb 92.90637   Mo 95.95
Ru 101.07   Rh 102.90549   Pd 106.42   Ag 107.8682   Cd 112.414   In 114.818
Sn 118.710   Sb 121.760   Te 127.60   I 126.90447   Xe 131.293   Cs 132.90545196
Ba 137.327   La 138.90547   Ce 140.116   Pr 140.90766   Nd 144.242   Sm 150.36
Eu 151.964   Gd 157.25   Tb 158.925354   Dy 162.500   Ho 164.930329   Er 167.259
Tm 168.934219   Yb 173.045   Lu 174.9668   Hf 178.486   Ta 180.94788   W 183.84
Re 186.207   Os 190.23   Ir 192.217   Pt 195.084   Au 196.966570   Hg 200.592
Tl 204.38   Pb 207.2   Bi 208.98040   Th 232.0377   Pa 231.03588   U 238.02891
"""
ATOMIC_WEIGHT_G_PER_MOL = {
    symbol: float(weight) for symbol, weight in re.findall("([A-Z][a-z]?) ([0-9.]+)", _TABLE)
}
WITHOUT_STANDARD_WEIGHT = re.compile(
    "Tc|Pm|Po|At|Rn|Fr|Ra|Ac|Np|Pu|Am|Cm|Bk|Cf|Es|Fm|Md|No|Lr|Rf|Db|Sg|Bh|Hs|Mt|Ds|Rg|Cn|Nh|Fl|Mc|Lv|Ts|Og"
)
LINKERS = {"bIm": {"C": 7.0, "H": 5.0, "N": 2.0}, "Im": {"C": 3.0, "H": 3.0, "N": 2.0}}

LONGEST_FORMULA = 200
DEEPEST_BRACKETS = 20
LARGEST_AMOUNT = 1e6


class StoichiometryError(ValueError):
    """A quantity that no balance can have weighed; the message says which and what to do."""


class FormulaError(StoichiometryError):
    """A text that is not a formula with known amounts; the message says where and what to write instead."""


def typed_text(text: str, longest: int) -> str:
    """What was typed, with the spellings of word processors and PDFs made plain.

    Subscript digits become digits, any dash a hyphen, any dot on the line "·". Invisible characters that
    only shape the layout (soft hyphen, zero-width space) are dropped; those that reorder text are refused.
    """
    if len(text) > longest:
        raise FormulaError(f"{len(text)} characters are too many; the longest that is read has {longest}.")
    plain = unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY))
    for character in plain:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
            raise FormulaError(f"The text hides a character (U+{ord(character):04X}); type it again by hand.")
    return " ".join(plain.split())


_TYPOGRAPHY = str.maketrans(
    dict.fromkeys("‐‑‒–—−﹣－", "-")
    | dict.fromkeys("•⋅∙‧・*", "·")
    | dict.fromkeys("∕⁄", "/")
    | dict.fromkeys("\t\n\r\f\v", " ")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
    | {"ɣ": "γ"}
)


def composition(formula: str) -> dict[str, float]:
    """Atoms of each element in one formula unit, in the order of first mention.

    Reads nested ( ) [ ] { }, fractional subscripts, hydrates (`Zn(NO3)2·6H2O`), the linkers Im and bIm, and a
    phase in front (`γ-CsPbI3`). Refuses amounts that are not known: `CsPb(Cl,Br)3`, `Zn(Im)2-x(bIm)x`.
    """
    text = re.sub(r"^[αβγδ]-", "", typed_text(formula, LONGEST_FORMULA)).replace(" ", "")
    if not text:
        raise FormulaError("The formula is empty; write for example CsPbI3.")
    if "," in text:
        raise FormulaError(
            f"{shown(text)} names alternatives without their ratio, so it has no molar mass; "
            "write the amounts, for example CsPbCl1.5Br1.5."
        )
    if re.search(r"[A-Za-z)\]}][0-9]+\.[0-9]+H2O", text):
        raise FormulaError(
            f"{shown(text)} may be a hydrate or a fractional subscript; write ·6H2O for a hydrate."
        )
    total: dict[str, float] = {}
    for unit in text.split("·"):
        coefficient = _NUMBER.match(unit)
        factor = _amount(coefficient.group(), text) if coefficient else 1.0
        _add(total, _read_unit(unit[coefficient.end() if coefficient else 0 :], text), factor)
    return total


_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_SYMBOL = re.compile(r"bIm|Im|[A-Z][a-z]?")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def _read_unit(unit: str, formula: str) -> dict[str, float]:
    if not unit:
        raise FormulaError(f"{shown(formula)} has a part without any element in it.")
    levels: list[dict[str, float]] = [{}]
    inner: Mapping[str, float]
    open_brackets: list[str] = []
    position = 0
    while position < len(unit):
        character = unit[position]
        if character in _CLOSING:
            if len(open_brackets) == DEEPEST_BRACKETS:
                raise FormulaError(f"{shown(formula)} nests brackets deeper than {DEEPEST_BRACKETS} levels.")
            open_brackets.append(character)
            levels.append({})
            position += 1
            continue
        if character in ")]}":
            if not open_brackets or _CLOSING[open_brackets.pop()] != character:
                raise FormulaError(f"{shown(formula)} closes a bracket with {character} that was not opened.")
            inner = levels.pop()
            if not inner:
                raise FormulaError(f"{shown(formula)} has an empty pair of brackets.")
            position += 1
        else:
            inner, position = _read_symbol(unit, position, formula)
        count = _NUMBER.match(unit, position)
        _add(levels[-1], inner, _amount(count.group(), formula) if count else 1.0)
        position = count.end() if count else position
    if open_brackets:
        raise FormulaError(f"{shown(formula)} opens a bracket {open_brackets[-1]} that is never closed.")
    return levels[0]


def _read_symbol(unit: str, position: int, formula: str) -> tuple[Mapping[str, float], int]:
    match = _SYMBOL.match(unit, position)
    symbol = match.group() if match else unit[position]
    end = position + len(symbol)
    if symbol in LINKERS:
        return LINKERS[symbol], end
    if symbol in ATOMIC_WEIGHT_G_PER_MOL:
        return {symbol: 1.0}, end
    if WITHOUT_STANDARD_WEIGHT.fullmatch(symbol):
        raise FormulaError(
            f"{symbol} has no standard atomic weight, because its mass depends on the isotope; "
            f"{shown(formula)} has no molar mass."
        )
    if symbol[-1] in "xyzn+-":
        raise FormulaError(
            f"{shown(formula)} has an unknown amount or a charge at {shown(symbol)}; "
            "write every amount as a number and no charge."
        )
    raise FormulaError(f"{shown(formula)}: {shown(symbol)} is not an element; check the spelling.")


def _amount(digits: str, formula: str) -> float:
    amount = float(digits)
    if not 0 < amount <= LARGEST_AMOUNT:
        raise FormulaError(
            f"{shown(formula)}: the amount {shown(digits)} must be above 0 and at most a million."
        )
    return amount


def _add(total: dict[str, float], part: Mapping[str, float], factor: float) -> None:
    for element, count in part.items():
        total[element] = total.get(element, 0.0) + factor * count


def shown(text: str) -> str:
    return f"“{text}”" if len(text) <= 60 else f"“{text[:57]}…”"


def molar_mass_g_per_mol(formula: str) -> float:
    return fsum(ATOMIC_WEIGHT_G_PER_MOL[element] * count for element, count in composition(formula).items())


def element_mass_fractions(formula: str) -> dict[str, float]:
    molar_mass = molar_mass_g_per_mol(formula)
    return {
        element: ATOMIC_WEIGHT_G_PER_MOL[element] * count / molar_mass
        for element, count in composition(formula).items()
    }
