"""Print the table, a row as soon as it is known.

.venv/bin/python -m benchmarks.coverage [--runs 1000] [part of a method's or case's name …]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping

from benchmarks.coverage.cases import CASES
from benchmarks.coverage.simulating import HIGH, LOW, Case, Found, Held, Key, simulated


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    print("| method, simulated | held, % | answers |\n|---|---|---|", flush=True)
    for case in CASES:
        name = f"{case.method}: {case.name}"
        if not asked.names or any(part in name for part in asked.names):
            print(row(case, simulated(case, asked.runs)), flush=True)


def row(case: Case, found: Found) -> str:
    held = ", ".join(_said(case, keys, found.held[keys[0]]) for keys in _alike(found.held))
    answers = found.runs - sum(found.refusals.values())
    return f"| `{case.method}`: {case.name} | {held} | {answers}{_others(case, found, answers)} |"


def _alike(held: Mapping[Key, Held]) -> list[list[Key]]:
    """One place for values that say the same in other units, such as a share and what is left of it."""
    together: dict[Held, list[Key]] = defaultdict(list)
    for key, told in held.items():
        together[told.rounded()].append(key)
    return list(together.values())


def _said(case: Case, keys: list[Key], told: Held) -> str:
    percent = f"{100 * told.share:.1f}"
    inside = LOW <= told.share <= HIGH
    return f"{' = '.join(_short(case, key) for key in keys)} {percent if inside else f'**{percent}**'}"


def _short(case: Case, key: Key) -> str:
    """Without what is the name of the method or of its room."""
    name, component = key
    room = case.method.partition("_")[0]
    name = name.removeprefix("pl_" if room == "photostability" else f"{room}_")
    return f"{name.replace('_', ' ')} {component}".rstrip()


def _others(case: Case, found: Found, answers: int) -> str:
    """What was reported in fewer simulations, or though nobody planted it."""
    few = [(key, held.reported) for key, held in found.held.items() if held.reported < answers]
    few += [(key, 0) for key in case.truth if key not in found.held]
    said = [f"{_short(case, key)} in {times}" for key, times in few]
    said += [f"{_short(case, key)}, not planted, in {times}" for key, times in found.unforeseen.items()]
    return f" ({', '.join(said)})" if said else ""


if __name__ == "__main__":
    main()
