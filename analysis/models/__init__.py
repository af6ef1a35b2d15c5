"""What it means: runs of methods, the values they gave, and where every other value comes from."""

from analysis.models.calibrations import Calibration
from analysis.models.conflicts import Conflict
from analysis.models.derived import ChangedValues
from analysis.models.inputs import QuickInput
from analysis.models.parameters import ProjectParams
from analysis.models.reanalyses import Notice, Reanalysis
from analysis.models.runs import Artifact, Run, RunInput, ValueInput
from analysis.models.schedules import Schedule
from analysis.models.values import Publication, Review, Value
from analysis.models.webhooks import Delivery, Webhook

__all__ = [
    "Artifact",
    "Calibration",
    "ChangedValues",
    "Conflict",
    "Delivery",
    "Notice",
    "ProjectParams",
    "Publication",
    "QuickInput",
    "Reanalysis",
    "Review",
    "Run",
    "RunInput",
    "Schedule",
    "Value",
    "ValueInput",
    "Webhook",
]
