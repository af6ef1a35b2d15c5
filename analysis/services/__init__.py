"""Changes that span rows: asking for runs, executing them, deciding which values are current."""

from analysis.services.calibrations import (
    add_calibration,
    replace_calibration,
    restore_calibration,
    withdraw_calibration,
)
from analysis.services.cancelling import cancel
from analysis.services.changed import note_all, note_corrected
from analysis.services.choosing import chosen_calibration
from analysis.services.comparing import compare
from analysis.services.currency import decide_current, decide_current_of, follow
from analysis.services.derived import derive, request_over
from analysis.services.entering import enter_value
from analysis.services.executing import execute, execute_batch, execute_long
from analysis.services.inputs import methods_for
from analysis.services.notices import mail_notices, mark_read, tell
from analysis.services.outdated import outdated
from analysis.services.reanalysing import begin, finish_campaigns, pause, plan, reanalyse, resume
from analysis.services.recalibrating import recalibrate
from analysis.services.requesting import identity, request_run, request_runs
from analysis.services.reviewing import review
from analysis.services.sweeping import sweep
from analysis.services.webhooks import (
    add_webhook,
    deliver,
    forget_old_deliveries,
    sweep_deliveries,
    tell_of_measurement,
)

__all__ = [
    "add_calibration",
    "add_webhook",
    "begin",
    "cancel",
    "chosen_calibration",
    "compare",
    "decide_current",
    "decide_current_of",
    "deliver",
    "derive",
    "enter_value",
    "execute",
    "execute_batch",
    "execute_long",
    "finish_campaigns",
    "follow",
    "forget_old_deliveries",
    "identity",
    "mail_notices",
    "mark_read",
    "methods_for",
    "note_all",
    "note_corrected",
    "outdated",
    "pause",
    "plan",
    "reanalyse",
    "recalibrate",
    "replace_calibration",
    "request_over",
    "request_run",
    "request_runs",
    "restore_calibration",
    "resume",
    "review",
    "sweep",
    "sweep_deliveries",
    "tell",
    "tell_of_measurement",
    "withdraw_calibration",
]
