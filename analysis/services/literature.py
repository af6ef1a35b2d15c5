"""Values that a publication states, entered by whoever read them there."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import slugify

from analysis import properties
from analysis.models import Conflict, Publication, Value
from analysis.services.conflicts import find_conflicts
from samples.models import Sample, User

DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[^\s\"<>]+")
PREFIXES = ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi:")


def as_doi(text: str) -> str:
    """The bare DOI of a text as people paste it; "" of an empty one. Only its form is checked.

    Raises ValidationError with a sentence.
    """
    doi = text.strip()
    for prefix in PREFIXES:
        if doi.lower().startswith(prefix):
            doi = doi[len(prefix) :].strip()
    if doi and not DOI.fullmatch(doi):
        raise ValidationError(
            {"doi": f"“{text.strip()[:80]}” is no DOI; one looks like 10.1126/science.abf4460."}
        )
    return doi


def find_or_add_publication(
    *, key: str = "", title: str = "", journal: str = "", doi: str = ""
) -> Publication:
    """The publication of this short name or DOI, or a new one. What is known of a publication is not
    changed: many values of many people may stand on it."""
    doi, key = as_doi(doi), key.strip()
    known = Publication.objects.filter(key=key).first() if key else None
    if known is not None:
        if doi and known.doi.lower() != doi.lower():
            raise ValidationError(
                {"key": f"“{key}” is the short name of another publication; choose another, such as {key}b."}
            )
        return known
    if doi and not key:
        known = Publication.objects.filter(doi__iexact=doi).order_by("pk").first()
        if known is not None:
            return known
    if not key:
        raise ValidationError({"key": "Give the publication a short name, such as Li2023."})
    if slugify(key).lower() != key.lower():
        raise ValidationError(
            {"key": "A short name has letters, digits and hyphens only, such as Li2023-SI."}
        )
    if not title.strip():
        raise ValidationError({"title": f"“{key}” is not known here yet; write its title."})
    new = Publication(key=key, title=title.strip(), journal=journal.strip(), doi=doi)
    new.full_clean()
    new.save()
    return new


@transaction.atomic
def enter_published(
    *,
    user: User,
    sample: Sample,
    publication: Publication,
    property_key: str,
    place: str,
    component: str = "",
    value: float | None = None,
    sigma: float | None = None,
    upper: float | None = None,
    unit: str | None = None,
    comparator: str = "=",
    text: str = "",
    inferred: bool = False,
    doubtful: bool = False,
    note: str = "",
) -> Value:
    """A published statement, with its place. It supersedes nothing: sources that disagree are both kept, and
    the disagreement is proposed as a conflict."""
    if not Sample.objects.open_to(user).filter(pk=sample.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask its manager for that.")
    declared = _declared(property_key, component, unit)
    _sensible(value, sigma, upper, comparator, text, place)
    # One statement after the other, so that two that disagree cannot miss each other.
    Sample.objects.select_for_update(no_key=True).get(pk=sample.pk)
    stated: dict[str, Any] = {
        "sample": sample,
        "property": property_key,
        "component": component,
        "publication": publication,
        "place": place.strip(),
        "value": value,
        "upper": upper,
        "comparator": comparator,
        "text": text.strip(),
    }
    if Value.objects.filter(**stated, rejected=False).exists():
        raise ValidationError({"place": "This statement of this publication stands there already."})
    entered = Value(
        **stated,
        sigma=sigma,
        unit=declared.unit,
        inferred=inferred,
        doubtful=doubtful,
        note=note.strip(),
        origin=Value.Origin.PUBLISHED,
        extracted_by=user,
    )
    entered.full_clean()
    entered.save()
    find_conflicts(sample, property_key, component)
    return entered


def _declared(property_key: str, component: str, unit: str | None) -> properties.Property:
    try:
        declared = properties.get(property_key)
    except KeyError as error:
        raise ValidationError({"property": str(error.args[0])}) from None
    if unit is not None and unit != declared.unit:
        raise ValidationError(
            {"unit": f"{declared.label} is kept in “{declared.unit}”, not “{unit}”; convert it first."}
        )
    if component not in (declared.components or ("",)):
        known = ", ".join(filter(None, declared.components)) or "none"
        raise ValidationError(
            {"component": f"{declared.label} has no component “{component}”; known: {known}."}
        )
    return declared


def _sensible(
    value: float | None, sigma: float | None, upper: float | None, comparator: str, text: str, place: str
) -> None:
    if value is None and not text.strip():
        raise ValidationError({"value": "Give the number, or the words of the source where it has none."})
    if value is None and (sigma is not None or upper is not None):
        raise ValidationError({"value": "A sigma or an upper end says nothing without the number."})
    if upper is not None and value is not None and upper <= value:
        raise ValidationError({"upper": "The upper end of a range is above its value."})
    if upper is not None and comparator not in ("=", "~"):
        raise ValidationError({"upper": "A range has no comparator besides “about”."})
    if not place.strip():
        raise ValidationError({"place": "Say where in the publication it stands: page, figure or table."})


def publications_for(user: Any) -> QuerySet[Publication]:
    """Those of values and conflicts that the user may see: what others read is theirs to tell."""
    cited = Value.objects.visible_to(user).filter(publication__isnull=False).order_by()
    told = Conflict.objects.visible_to(user).order_by()
    mine = Q(pk__in=cited.values("publication")) | Q(conflicts__in=told.values("pk"))
    return Publication.objects.filter(mine).distinct().order_by("key")
