"""Values that a person enters."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from analysis import properties
from analysis.models import Value
from analysis.services.currency import supersede_earlier
from samples.models import Sample, User


def enter_value(
    *,
    user: User,
    sample: Sample,
    property_key: str,
    value: float,
    reason: str,
    unit: str,
    sigma: float | None = None,
    component: str = "",
    comparator: str = "=",
) -> Value:
    """A value entered by hand, marked as such for ever, with the person and the reason.

    It supersedes what the same person entered for the same quantity of the sample before.
    """
    try:
        declared = properties.get(property_key)
    except KeyError as error:
        raise ValidationError({"property": str(error.args[0])}) from None
    if unit != declared.unit:
        raise ValidationError(
            {"unit": f"{declared.label} is kept in “{declared.unit}”, not “{unit}”; convert it first."}
        )
    if component not in (declared.components or ("",)):
        known = ", ".join(declared.components) or "none"
        raise ValidationError(
            {"component": f"{declared.label} has no component “{component}”; known: {known}."}
        )
    if not reason.strip():
        raise ValidationError({"reason": "Say where the number comes from: it stands beside the value."})
    entered = Value(
        sample=sample,
        property=property_key,
        component=component,
        value=value,
        sigma=sigma,
        unit=declared.unit,
        comparator=comparator,
        origin=Value.Origin.ENTERED,
        entered_by=user,
        note=reason.strip(),
    )
    entered.full_clean()
    with transaction.atomic():
        supersede_earlier(entered)
        entered.save()
    return entered
