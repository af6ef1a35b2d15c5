"""Arrays of planned samples: asked for, forecast, created in one go, withdrawn while nothing is made."""

from samples.services.designs.asking import Array, read_array
from samples.services.designs.coverage import Coverage, coverage
from samples.services.designs.creating import create_design, standing, withdraw
from samples.services.designs.forecasting import forecast
from samples.services.designs.weighing import WeighingRow, weighing_file, weighing_rows

__all__ = [
    "Array",
    "Coverage",
    "WeighingRow",
    "coverage",
    "create_design",
    "forecast",
    "read_array",
    "standing",
    "weighing_file",
    "weighing_rows",
    "withdraw",
]
