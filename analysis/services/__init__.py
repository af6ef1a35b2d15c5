"""Changes that span rows: asking for runs, executing them, deciding which values are current."""

from analysis.services.cancelling import cancel
from analysis.services.currency import decide_current, decide_current_of, follow
from analysis.services.entering import enter_value
from analysis.services.executing import execute, execute_batch, execute_long
from analysis.services.reanalysing import outdated, reanalyse
from analysis.services.requesting import identity, request_run, request_runs
from analysis.services.reviewing import review
from analysis.services.sweeping import sweep

__all__ = [
    "cancel",
    "decide_current",
    "decide_current_of",
    "enter_value",
    "execute",
    "execute_batch",
    "execute_long",
    "follow",
    "identity",
    "outdated",
    "reanalyse",
    "request_run",
    "request_runs",
    "review",
    "sweep",
]
