"""What can be asked for: every process factor and every property with each of its components."""

from __future__ import annotations

from dataclasses import dataclass

from analysis import properties
from samples.models import ProcessFactors

QUENCHED_AT = "quenched_at"
HOURS_SINCE_QUENCH = "hours_since_quench"


@dataclass(frozen=True)
class Factor:
    """What is known about the processing of a sample; `sql` gives it where its row is called `factors`."""

    label: str
    unit: str
    numeric: bool
    sql: str


def _factors() -> dict[str, Factor]:
    """The columns of ProcessFactors. A moment is no axis: the time since it is, at the moment of asking."""
    found = {}
    for column in ProcessFactors._meta.fields:
        if column.name in ("sample", "derived_at", QUENCHED_AT):
            continue
        numeric = column.get_internal_type() == "FloatField"
        label, unit = str(column.verbose_name), _unit_in(str(column.help_text))
        found[column.name] = Factor(label[:1].upper() + label[1:], unit, numeric, f"factors.{column.name}")
    hours = f"(extract(epoch FROM now() - factors.{QUENCHED_AT}) / 3600)::float8"
    found[HOURS_SINCE_QUENCH] = Factor("Time since quench", "h", True, hours)
    return found


def _unit_in(help_text: str) -> str:
    """A factor's help ends with its unit in brackets."""
    return help_text.rpartition("(")[2].rstrip(").") if help_text.endswith(").") else ""


FACTORS = _factors()


class ExploreError(ValueError):
    """A question that cannot be answered, in a sentence; `field` names the part that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Axis:
    """A quantity on offer. key: a factor, or a property, or `property:component`."""

    key: str
    label: str
    unit: str
    kind: str  # "factor", "property"
    numeric: bool = True
    as_percent: bool = False
    component: str = ""

    @property
    def property(self) -> str:
        return self.key.partition(":")[0]


def axes() -> list[Axis]:
    """Every axis that can be asked for: factors first, then each property with each of its components."""
    offered = [_factor_axis(name) for name in FACTORS]
    for key, declared in properties.all().items():
        for component in declared.components or ("",):
            offered.append(_property_axis(key, component))
    return offered


def axis(key: str, name: str = "axis") -> Axis:
    """The axis for a key. A property that has components means its first one unless the key names another."""
    if key in FACTORS:
        return _factor_axis(key)
    word, _, component = key.partition(":")
    try:
        declared = properties.get(word)
    except KeyError:
        raise ExploreError(
            name, f"There is no factor or property “{key}”; GET /api/v1/properties/ lists them."
        ) from None
    components = declared.components or ("",)
    if component and component not in components:
        raise ExploreError(name, f"{declared.label} has no component “{component}”: {', '.join(components)}.")
    return _property_axis(word, component or components[0])


def _factor_axis(name: str) -> Axis:
    factor = FACTORS[name]
    return Axis(name, factor.label, factor.unit, "factor", factor.numeric, name.endswith("_fraction"))


def _property_axis(key: str, component: str) -> Axis:
    declared = properties.get(key)
    several = len(declared.components) > 1
    return Axis(
        f"{key}:{component}" if component and several else key,
        f"{declared.label} {component}" if component and several else declared.label,
        declared.unit,
        "property",
        as_percent=declared.as_percent,
        component=component,
    )
