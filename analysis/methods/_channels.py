"""How wide a channel is, where a file numbers its channels instead of giving times.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

import re

from analysis.methods.base import Dataset

PER_CHANNEL = re.compile(r"(\d+(?:\.\d*)?(?:e[-+]?\d+)?)\s*(ps|ns|µs|us)\s*(?:/|per)\s*ch", re.IGNORECASE)
IN_NS = {"ps": 1e-3, "ns": 1.0, "µs": 1e3, "us": 1e3}


def channel_ns(dataset: Dataset) -> float | None:
    """As the measurement states it, else as a line of the header such as “2.74E-02ns/ch” does; else None."""
    stated = dataset.conditions.get("channel_width")
    if stated is not None and not isinstance(stated.value, str) and stated.value > 0:
        return float(stated.value)
    widths = {
        float(found[1]) * IN_NS[found[2].lower()]
        for text in dataset.header.values()
        if (found := PER_CHANNEL.search(str(text))) is not None
    }
    return widths.pop() if len(widths) == 1 and min(widths) > 0 else None
