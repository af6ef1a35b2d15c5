"""Where a file belongs: to the sample that its sender may add to, or into an inbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef

from measurements.models import InboxRule, Instrument
from measurements.services.filenames import as_text
from measurements.services.matching import match
from samples.models import Membership, Project, Role, Sample, User

CLAIMED_CHARACTERS = 200


class Place(NamedTuple):
    """`rule`: the one that knew the sample where nobody named it."""

    project: Project
    sample: Sample | None
    claimed_code: str
    rule: InboxRule | None = None


def find_place(
    user: User,
    code: str,
    project: Project | None,
    instrument: Instrument | None,
    warnings: list[str],
    names: Sequence[str] = (),
) -> Place:
    """Raises PermissionDenied where `user` may not add; says in `warnings` what they would not expect.

    `names` of the files: where no sample is named, a rule of the inbox may know it from them.
    """
    writable = Membership.objects.filter(user=user, project=OuterRef("project"), role__gte=Role.CONTRIBUTOR)
    is_instrument = instrument is not None and instrument.account_id == user.pk
    samples = Sample.objects.despite_embargo(user) if is_instrument else Sample.objects.visible_to(user)
    sample = (
        samples.filter(code=code).select_related("project").annotate(writable=Exists(writable)).first()
        if code
        else None
    )
    if sample is None:
        return _inbox(user, code, project, instrument, warnings, names)
    if not sample.writable:
        raise PermissionDenied(
            f"You may look at {sample.code} but not add to it. Ask a manager of {sample.project} to make you "
            "a contributor, then send the file again."
        )
    if sample.voided_at is not None:
        warnings.append(
            f"{sample.code} is void ({sample.void_reason}); it takes nothing more. The measurement waits in "
            f"the inbox of {sample.project} until somebody assigns it."
        )
        return Place(sample.project, None, sample.code)
    return place_at(sample, project, warnings)


def place_at(sample: Sample, project: Project | None, warnings: list[str]) -> Place:
    if project is not None and project != sample.project:
        warnings.append(f"{sample.code} belongs to {sample.project}, so the measurement does too.")
    return Place(sample.project, sample, "")


def _inbox(
    user: User,
    code: str,
    project: Project | None,
    instrument: Instrument | None,
    warnings: list[str],
    names: Sequence[str],
) -> Place:
    open_projects = Project.objects.open_to(user)
    if project is not None:
        wanted = [project.pk]
    else:
        wanted = [instrument.project_id if instrument else user.default_project_id]
    inbox = open_projects.filter(pk__in=[pk for pk in wanted if pk is not None]).first()
    if inbox is None and project is None:
        inbox = open_projects.first()
    if inbox is None:
        raise PermissionDenied(
            "There is no project into which you may write. Ask a manager to make you a contributor, then "
            "send the file again."
        )
    if not code and names:
        found = match(user=user, project=inbox, instrument=instrument, names=names)
        if found is not None:
            warnings.append(f"No sample was named; the rule “{found.rule}” says {found.sample.code}.")
            return Place(inbox, found.sample, "", found.rule)
    claimed_code = as_text(code, CLAIMED_CHARACTERS) if code else ""
    named = f"There is no sample “{claimed_code}”" if claimed_code else "No sample was named"
    warnings.append(f"{named}: the measurement waits in the inbox of {inbox} until somebody assigns it.")
    return Place(inbox, None, claimed_code)
