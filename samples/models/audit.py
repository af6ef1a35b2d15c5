"""The audit trail: every row that is made, changed or removed leaves its before and after, by trigger.

A trigger also sees what a script or a raw UPDATE does. Who and why come from `pghistory.context`, which the
middleware sets for requests. Event tables are append-only.
"""

from __future__ import annotations

from typing import Any

import pghistory


def audited(model: type[Any]) -> type[Any]:
    """The decorator; trackers are made anew, for each belongs to one model."""
    kinds = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
    tracked: type[Any] = pghistory.track(*kinds, append_only=True)(model)
    return tracked
