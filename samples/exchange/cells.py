"""One cell: what a person or a spreadsheet wrote → a value; and back, so that reading it again loses nothing.

`read` raises CellError with a sentence that says what to write instead; nothing else escapes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from math import isfinite
from typing import Any

from samples.exchange.columns import Column

LONGEST_WORDS = 20_000
MARKED_AS_TEXT = re.compile(r"'+[=+\-@\t\r]")
LIKE_A_FORMULA = re.compile(r"'*[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]+,[0-9]+|,[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
TRUE, FALSE = {"yes", "true", "1", "x"}, {"no", "false", "0"}
INVISIBLE = {"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"}


class CellError(ValueError):
    """The cell does not say what its column needs; the message says what to write."""


@dataclass(frozen=True)
class Formula:
    """A cell that computes; a laboratory's table holds what was found."""

    text: str


def read(raw: Any, column: Column, zone: tzinfo) -> Any:
    """None for an empty cell. Any: a spreadsheet's cell holds text, number, truth or date."""
    if isinstance(raw, Formula):
        raise CellError(f"It holds the formula “{shortened(raw.text)}”; paste its value instead.")
    if isinstance(raw, str):
        raw = raw if column.kind == "words" else raw.strip(" \t\r\n\u00a0\u202f")
    if raw is None or raw == "":
        if column.required:
            raise CellError(f"“{column.words}” is empty and has to be filled.")
        return None
    return READERS[column.kind](raw, column, zone)


def _text(raw: Any, column: Column, zone: tzinfo) -> str:
    text = _as_text(raw)
    hidden = next((letter for letter in text if unicodedata.category(letter) in INVISIBLE), None)
    if hidden is not None:
        name = unicodedata.name(hidden, f"U+{ord(hidden):04X}").lower()
        raise CellError(f"“{visible(text)}” holds an invisible character ({name}); type it again without it.")
    if column.longest is not None and len(text) > column.longest:
        raise CellError(
            f"“{shortened(text)}” has {len(text)} characters; {column.words} takes {column.longest}."
        )
    if len(text) > LONGEST_WORDS:
        raise CellError(f"“{shortened(text)}” is too long; shorten it.")
    return text


def _words(raw: Any, column: Column, zone: tzinfo) -> str:
    text = _as_text(raw)
    if "\0" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise CellError("It holds a character that cannot be stored; type the text again.")
    if len(text) > LONGEST_WORDS:
        raise CellError(f"The text has {len(text)} characters; {LONGEST_WORDS} fit. Attach it as a file.")
    return text


def _as_text(raw: Any) -> str:
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw))
    if isinstance(raw, (datetime, date, time)):
        raise CellError("The spreadsheet made a date of it; format the cell as text and type it again.")
    if isinstance(raw, (dict, list)):
        raise CellError("Expected a text.")
    return str(raw)


def _number(raw: Any, column: Column, zone: tzinfo) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise CellError(f"Expected a number, found “{shortened(str(raw))}”.")
    return _finite(raw if not isinstance(raw, str) else _typed_number(raw, column), raw)


def _typed_number(raw: str, column: Column) -> str:
    text = raw.replace("−", "-").replace("\u202f", "").replace("\u00a0", "")
    if NUMBER.fullmatch(text):
        return text
    if THOUSANDS.fullmatch(text):
        raise CellError(
            f"“{text}” can be read as {text.replace(',', '.')} or as {text.replace(',', '')}; "
            "write a decimal point, and no sign between thousands."
        )
    if DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    if column.unit == "1" and text.endswith("%") and NUMBER.fullmatch(text.rstrip("% ")):
        share = float(text.rstrip("% ")) / 100
        raise CellError(f"“{shortened(text)}” is in per cent; write the fraction, {share:g}.")
    unit = f" The unit is {column.unit} and stands in the title only." if column.unit else ""
    raise CellError(f"Expected a number, found “{shortened(raw)}”.{unit} Leave it empty when it is unknown.")


def _finite(number: int | float | str, raw: Any) -> float:
    try:
        value = float(number)
    except (OverflowError, ValueError):
        value = float("inf")
    if not isfinite(value):
        raise CellError(
            f"“{shortened(str(raw))[:40]}” is no finite number; leave it empty when it is unknown."
        )
    return value


def _integer(raw: Any, column: Column, zone: tzinfo) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 2**63:
        return raw
    if isinstance(raw, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", raw):
        return int(raw)
    value = _number(raw, column, zone)
    if not value.is_integer() or abs(value) > 2**53:
        raise CellError(f"Expected a whole number, found “{shortened(str(raw))}”.")
    return int(value)


def _truth(raw: Any, column: Column, zone: tzinfo) -> bool:
    text = str(raw).lower()
    if raw is True or text in TRUE:
        return True
    if raw is False or text in FALSE:
        return False
    raise CellError(f"Expected yes or no, found “{shortened(str(raw))}”.")


def _date(raw: Any, column: Column, zone: tzinfo) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(_iso(str(raw)))
    except ValueError:
        raise CellError(f"“{shortened(str(raw))}” is no date; write it as 2026-11-20.") from None


def _moment(raw: Any, column: Column, zone: tzinfo) -> datetime:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime.combine(raw, time())
    try:
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(_iso(str(raw)))
        # A time without a zone is what the person's clock said.
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellError(
            f"“{shortened(str(raw))}” is no time; write it as 2026-11-20 14:05, "
            "or with its zone as 2026-11-20T14:05+01:00."
        ) from None


def _iso(text: str) -> str:
    """20.11.2026 is only ever a day, then a month; 11/20/2026 is left to be refused, for 3/4 is two dates."""
    return DAY_FIRST.sub(lambda found: f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}", text, count=1)


def _choice(raw: Any, column: Column, zone: tzinfo) -> str:
    text = _text(raw, column, zone)
    wanted = text.lower().replace(" ", "_").replace("-", "_")
    found = next((choice for choice in column.choices if text == choice or wanted == choice.lower()), None)
    if found is None:
        raise CellError(
            f"“{shortened(text)}” is no {column.words} known here; one of {', '.join(column.choices)}."
        )
    return found


def _names(raw: Any, column: Column, zone: tzinfo) -> list[str]:
    if isinstance(raw, list):
        return [_text(each, column, zone) for each in raw]
    return [part.strip() for part in _text(raw, column, zone).split(",") if part.strip()]


def _json(raw: Any, column: Column, zone: tzinfo) -> Any:
    if not isinstance(raw, str):
        return raw
    if len(raw) > LONGEST_WORDS:
        raise CellError("It is too long.")
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise CellError(f"“{shortened(raw)}” is not JSON, as exported by Vitrine.") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


READERS: dict[str, Callable[[Any, Column, tzinfo], Any]] = {
    "text": _text,
    "reference": _text,
    "words": _words,
    "number": _number,
    "integer": _integer,
    "truth": _truth,
    "date": _date,
    "moment": _moment,
    "choice": _choice,
    "names": _names,
    "json": _json,
}


def written(value: Any) -> str | int | float | bool | None:
    """The value as a cell: numbers and truths as they are, everything else as text."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or None
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, (bool, int, float)):
        return value
    return str(value)


def marked(text: str) -> str:
    """For CSV: a text that a spreadsheet would compute is marked as text."""
    return f"'{text}" if LIKE_A_FORMULA.match(text) else text


def unmarked(text: str) -> str:
    """Undoes `marked`, whatever the text: '=1+1 → =1+1, and ''=1 → '=1."""
    return text[1:] if MARKED_AS_TEXT.match(text) else text


def shortened(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def visible(text: str) -> str:
    """Control and direction characters as their numbers, so that no message is turned round by them."""
    return "".join(
        f"\\u{ord(letter):04x}" if unicodedata.category(letter) in INVISIBLE else letter
        for letter in text[:200]
    )
