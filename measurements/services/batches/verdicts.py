"""What is known of the rows of a manifest while they are checked and recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from measurements.models import BatchFile, Blob, Instrument
from samples.models import Sample

OK, WARNING, ERROR, MISSING, INBOX, DONE = "ok", "warning", "error", "missing", "inbox", "done"
STATES = (ERROR, MISSING, WARNING, OK, INBOX, DONE)  # the worst first


@dataclass
class Verdict:
    """One row: what is odd about it, and which measurement it became."""

    number: int
    said: Mapping[str, Any]
    wrong: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    private: dict[str, str] = field(default_factory=dict)  # sentences for its sender alone → for all others
    missing: bool = False
    blob: Blob | None = None
    name: str = ""
    recorded: int | None = None
    in_inbox: bool = False
    outcome: str = ""

    @property
    def state(self) -> str:
        if self.recorded is not None:
            return INBOX if self.in_inbox else DONE
        if self.wrong:
            return ERROR
        if self.missing:
            return MISSING
        return WARNING if self.warnings else OK

    @property
    def for_all(self) -> list[str]:
        """What is wrong, for every reader of the inbox: they may not see what its sender may."""
        return [self.private.get(sentence, sentence) for sentence in self.wrong]

    @property
    def sentences(self) -> list[str]:
        odd = [] if self.recorded is not None else [*self.wrong, *self.warnings]
        return [*odd, *([self.outcome] if self.outcome else [])]


@dataclass
class Group:
    """Rows that are one measurement."""

    rows: list[Verdict]
    sample: Sample | None = None
    instrument: Instrument | None = None

    @property
    def said(self) -> Mapping[str, Any]:
        return self.rows[0].said

    @property
    def state(self) -> str:
        return min((row.state for row in self.rows), key=STATES.index)

    @property
    def conditions(self) -> dict[str, Any]:
        return {key: value for row in self.rows for key, value in row.said.get("conditions", {}).items()}

    @property
    def acquired_at(self) -> datetime | None:
        said = next((row.said["acquired_at"] for row in self.rows if row.said.get("acquired_at")), None)
        return datetime.fromisoformat(said) if said else None

    @property
    def technique(self) -> str | None:
        return next((row.said["technique"] for row in self.rows if row.said.get("technique")), None)

    @property
    def content_key(self) -> str | None:
        """As `receive` computes it; None while files are missing."""
        if not all(row.blob for row in self.rows):
            return None
        parts = sorted([row.said.get("role") or "", row.blob.sha256] for row in self.rows if row.blob)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass
class Plan:
    groups: list[Group]
    verdicts: list[Verdict]  # in the order of the table
    unnamed: list[BatchFile]  # came with the batch, and no row names them

    @property
    def counts(self) -> dict[str, int]:
        states = [verdict.state for verdict in self.verdicts]
        return {state: states.count(state) for state in STATES}

    @property
    def missing(self) -> list[str]:
        return [verdict.said.get("file", "") for verdict in self.verdicts if verdict.state == MISSING]
