"""An array of samples on paper: which cells, in which order, in which furnace run, from how much. Pure.

Full designs hold every combination of levels. A fraction of `cells` of them is a nearly orthogonal array:
every level of every factor occurs equally often (to within one), no cell twice, and pairs of levels meet as
evenly as exchanges find. The criterion is J₂, the summed squares of the coincidences between rows (H. Xu,
Technometrics 44 (2002) 356, doi 10.1198/004017002188618554); unlike there, rows are exchanged within columns
of balanced levels, so that balance holds by construction. The same seed draws the same array.

Blocks: what shares a furnace run shares its programme, quench and replicate, so that a replicate was really
fired again. Runs come in random order; so do the samples within a run. That is a split-plot design: a run is
the unit of temperature and quench, a sample the unit of everything else.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import ceil, isfinite, prod

MOST_SAMPLES = 1000
MOST_LEVELS = 60
MOST_REPLICATES = 20
LARGEST_SEED = 2**53 - 1  # what a spreadsheet and a browser still hold exactly
ROOM_C = 25.0
EXCHANGES_PER_ROW = 60

Level = float | int | str
Cell = tuple[Level, ...]


class DesignError(ValueError):
    """A design that cannot be made; the message is a sentence with the remedy."""


@dataclass(frozen=True)
class Slot:
    """One sample to make: its cell, which replicate it is, its place in the order and its furnace run."""

    cell: Cell
    replicate: int
    run_order: int
    block: int | None


def cells(levels: Mapping[str, Sequence[Level]], wanted: int | None, seed: int) -> list[Cell]:
    """All combinations of the levels, or a balanced fraction of `wanted` of them, in order."""
    check_levels(levels)
    total = prod(len(choices) for choices in levels.values())
    if wanted is None or wanted == total:
        return list(product(*levels.values()))
    widest = max(len(choices) for choices in levels.values())
    if not widest <= wanted < total:
        raise DesignError(
            f"A fraction holds at least {widest} of the {total} combinations, so that every level occurs, "
            f"and fewer than all; {wanted} is outside."
        )
    counts = [len(choices) for choices in levels.values()]
    # More than half: leaving out a balanced few leaves a balanced rest.
    if 2 * wanted > total:
        left_out = set(fraction(counts, total - wanted, seed))
        chosen = [row for row in product(*map(range, counts)) if row not in left_out]
    else:
        chosen = sorted(fraction(counts, wanted, seed))
    choices = list(levels.values())
    return [tuple(choices[k][i] for k, i in enumerate(row)) for row in chosen]


def check_levels(levels: Mapping[str, Sequence[Level]]) -> None:
    if not levels or not all(levels.values()):
        raise DesignError("A design needs at least one level of each of its factors.")
    for name, choices in levels.items():
        twice = [level for level, times in Counter(choices).items() if times > 1]
        if twice:
            raise DesignError(f"{name} lists {twice[0]} twice; each level stands once.")
        if len(choices) > MOST_LEVELS:
            raise DesignError(f"{name} has {len(choices)} levels; the most is {MOST_LEVELS}.")
        if any(isinstance(level, float) and not isfinite(level) for level in choices):
            raise DesignError(f"{name} holds something that is no finite number; correct it.")
    total = prod(len(choices) for choices in levels.values())
    if total > 100 * MOST_SAMPLES:
        raise DesignError(f"{total} combinations are too many to think about; take away levels.")


def fraction(counts: Sequence[int], rows: int, seed: int) -> list[tuple[int, ...]]:
    """`rows` different rows of level numbers: each level equally often (±1), pairs of levels spread."""
    rng = random.Random(seed)  # noqa: S311 - an order that the seed repeats, no secret
    for _ in range(20):
        table = [_balanced_column(count, rows, rng) for count in counts]
        _spread(table, rows, rng)
        found = list(zip(*table, strict=True))
        if len(set(found)) == rows:
            return found
    raise DesignError("No balanced fraction of this size was found; ask for a few cells more or fewer.")


def _balanced_column(levels: int, rows: int, rng: random.Random) -> list[int]:
    order = rng.sample(range(levels), levels)
    column = [order[row % levels] for row in range(rows)]
    rng.shuffle(column)
    return column


def _spread(table: list[list[int]], rows: int, rng: random.Random) -> None:
    """Exchanges two entries of one column as long as J₂ falls; a repeated row counts as much worse."""
    penalty = (2 * len(table)) ** 2

    def cost(row: int, other: int) -> int:
        same = sum(column[row] == column[other] for column in table)
        return same * same + (penalty if same == len(table) else 0)

    def around(a: int, b: int) -> int:
        return sum(cost(a, other) + cost(b, other) for other in range(rows) if other not in (a, b))

    tries = min(EXCHANGES_PER_ROW * rows, 400_000 // max(rows, 1))
    for _ in range(tries if rows > 1 else 0):
        column = table[rng.randrange(len(table))]
        a, b = rng.sample(range(rows), 2)
        if column[a] == column[b]:
            continue
        before = around(a, b)
        column[a], column[b] = column[b], column[a]
        if around(a, b) > before:
            column[a], column[b] = column[b], column[a]


def arrange(
    chosen: Sequence[Cell], *, replicates: int, programme: Sequence[int], capacity: int | None, seed: int
) -> list[Slot]:
    """Every replicate of every cell, in furnace runs of at most `capacity`, in random order.

    programme : positions within a cell that fix the furnace run (temperature, quench)
    capacity : samples that fit into the furnace; None when nothing is fired: then there are no runs
    """
    if not 1 <= replicates <= MOST_REPLICATES:
        raise DesignError(f"Make each sample 1 to {MOST_REPLICATES} times; {replicates} is outside.")
    if capacity is not None and capacity < 1:
        raise DesignError("At least one sample must fit into the furnace.")
    if len(chosen) * replicates > MOST_SAMPLES:
        raise DesignError(
            f"{len(chosen) * replicates} samples are too many for one design; the most is {MOST_SAMPLES}."
        )
    rng = random.Random(seed)  # noqa: S311 - likewise
    if capacity is None:
        once = [(cell, replicate) for replicate in range(1, replicates + 1) for cell in chosen]
        rng.shuffle(once)
        return [Slot(cell, replicate, place, None) for place, (cell, replicate) in enumerate(once, start=1)]
    alike: dict[tuple[object, ...], list[Cell]] = {}
    for replicate in range(1, replicates + 1):
        for cell in chosen:
            alike.setdefault((replicate, *(cell[i] for i in programme)), []).append(cell)
    runs: list[tuple[int, list[Cell]]] = []
    for key, members in alike.items():
        rng.shuffle(members)
        # Eleven samples in a furnace for ten are fired as six and five, not as ten and one.
        loads = ceil(len(members) / capacity)
        runs += [(int(str(key[0])), members[load::loads]) for load in range(loads)]
    rng.shuffle(runs)
    ordered = [(cell, rep, block) for block, (rep, members) in enumerate(runs, start=1) for cell in members]
    return [Slot(cell, rep, place, block) for place, (cell, rep, block) in enumerate(ordered, start=1)]


# What it will take


def programme_min(
    target_c: float | None, ramp_c_per_min: float | None, hold_min: float | None
) -> float | None:
    """Minutes of heating and holding from room temperature; None where ramp or hold are not decided."""
    if target_c is None or ramp_c_per_min is None or hold_min is None:
        return None
    return abs(target_c - ROOM_C) / ramp_c_per_min + hold_min


@dataclass(frozen=True)
class Need:
    """How much of one material a design takes, beside what the lots of the project hold.

    held_g : sum over the lots whose amount is known; promised_g : planned elsewhere and not weighed yet
    """

    material: str
    needed_g: float
    held_g: float
    promised_g: float
    lots: int
    lots_unknown: int

    @property
    def short_g(self) -> float:
        """What is missing from the known lots after what is promised already; 0 when they suffice."""
        missing = self.needed_g + self.promised_g - self.held_g
        return missing if missing > 1e-9 * self.needed_g else 0.0

    @property
    def verdict(self) -> str:
        if not self.lots:
            return "no lot"
        if not self.short_g:
            return "suffices"
        return "not known" if self.lots_unknown else "short"


@dataclass(frozen=True)
class Forecast:
    """What a design takes, before anything is created. Hours are None where a programme says too little."""

    samples: int
    cells: int
    combinations: int
    furnace_runs: int
    furnace_h: float | None
    mill_runs: int
    mill_h: float | None
    mass_g: float
    needs: list[Need] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def mill_runs(durations_min: Sequence[float], jars: int) -> tuple[int, float]:
    """How often the mill starts and how many minutes it runs, `jars` mixtures of one duration at a time."""
    times = Counter(durations_min)
    starts = {duration: ceil(count / jars) for duration, count in times.items()}
    return sum(starts.values()), sum(duration * count for duration, count in starts.items())


def parse_numbers(text: str, what: str) -> list[float]:
    """“5, 10 25” or “200 to 400 step 25” → numbers. Raises DesignError with a sentence."""
    words = re.sub(r"[,;%]|° ?c\b", " ", text.lower()).replace("…", " to ").split()
    numbers: list[float] = []
    while words:
        if len(words) >= 5 and words[1] == "to" and words[3] in ("step", "by"):
            low, high, step = (_number(words[i], what) for i in (0, 2, 4))
            if not step > 0 or not high >= low or (high - low) / step > MOST_LEVELS:
                raise DesignError(
                    f"{what}: write a range as “200 to 400 step 25”, with at most {MOST_LEVELS} levels."
                )
            numbers += [round(low + i * step, 9) for i in range(int((high - low) / step + 1e-9) + 1)]
            words = words[5:]
        else:
            numbers.append(_number(words.pop(0), what))
    return numbers


def _number(word: str, what: str) -> float:
    try:
        number = float(word.replace("−", "-"))
    except ValueError:
        number = float("nan")
    if not isfinite(number) or "_" in word:
        raise DesignError(f"{what}: “{word[:20]}” is no number; write numbers with commas between them.")
    return number
