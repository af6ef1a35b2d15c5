"""Questions about samples. Every list, count, file and figure starts from `visible_to`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models import Exists, Q
from django.utils import timezone

if TYPE_CHECKING:
    from samples.models import User

VIEWER, CONTRIBUTOR, MANAGER = 10, 20, 30
EVERY_HALIDE = """
    WITH RECURSIVE known(halide) AS (
        (SELECT halide FROM samples_processfactors WHERE halide > '' ORDER BY halide LIMIT 1)
        UNION ALL
        SELECT (
            SELECT next.halide FROM samples_processfactors next
            WHERE next.halide > known.halide ORDER BY next.halide LIMIT 1
        ) FROM known WHERE known.halide IS NOT NULL
    )
    SELECT halide FROM known WHERE halide IS NOT NULL
"""


class ProjectQuerySet(models.QuerySet):
    def with_role(self, user: Any, role: int) -> ProjectQuerySet:
        """Projects where `user` has at least `role`. Being a site administrator opens no project."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(memberships__user=user, memberships__role__gte=role)

    def visible_to(self, user: Any) -> ProjectQuerySet:
        return self.with_role(user, VIEWER)

    def open_to(self, user: Any) -> ProjectQuerySet:
        """Projects into which `user` may write."""
        return self.with_role(user, CONTRIBUTOR)


def hidden_from(user: Any) -> models.QuerySet:
    """Keys of the samples that are under an embargo for `user`: until its date (UTC) a sample, and everything
    that hangs on it, is only for its maker and for the managers of its project."""
    from samples.models import Membership, Sample

    managed = Membership.objects.filter(user=user, role__gte=MANAGER).values("project_id")
    return (
        Sample.objects.under_embargo()
        .exclude(created_by=user)
        .exclude(project__in=managed)
        .order_by()
        .values("pk")
    )


class OfProject(models.QuerySet):
    """Rows that belong to a project through `project_path`, and perhaps to a sample through `sample_path`."""

    project_path = "project"
    sample_path = ""

    def visible_to(self, user: User, *, projects: Collection[int] | None = None) -> OfProject:
        """`projects`: keys of the user's projects where the caller has just looked them up. PostgreSQL then
        knows how many rows to expect, and walks an index where a subquery would make it sort everything."""
        return self._in_projects(user, VIEWER, projects=projects)

    def open_to(self, user: User) -> OfProject:
        return self._in_projects(user, CONTRIBUTOR)

    def _in_projects(self, user: Any, role: int, *, embargo: bool = True, projects: Any = None) -> OfProject:
        from samples.models import Membership

        if not user.is_authenticated or not user.is_active:
            return self.none()
        if projects is None:
            projects = Membership.objects.filter(user=user, role__gte=role).values("project_id")
        rows = self.filter(self._belongs_to(projects))
        if not self.sample_path or not embargo:
            return rows
        # A subquery over a small partial index, not a join: nearly nothing is under an embargo.
        return rows.filter(~Q(**{f"{self.sample_path}__in": hidden_from(user)}))

    def _belongs_to(self, projects: Any) -> Q:
        return Q(**{f"{self.project_path}__in": projects})


class OfSample(OfProject):
    project_path = "sample__project"
    sample_path = "sample"


class PreparationQuerySet(OfProject):
    """One sample under an embargo hides the preparation that it came from."""

    sample_path = "samples"


class SampleQuerySet(OfProject):
    sample_path = "pk"

    def under_embargo(self) -> SampleQuerySet:
        return self.filter(embargoed_until__gt=timezone.now().astimezone(UTC).date())

    def despite_embargo(self, user: User) -> SampleQuerySet:
        """For taking in what an instrument of the project sends, which sees nothing by it: in the inbox the
        files would lie before everybody's eyes."""
        return self._in_projects(user, VIEWER, embargo=False)

    def kept(self) -> SampleQuerySet:
        """What lists, counts and figures show: all but the voided, which stay at their addresses."""
        return self.filter(voided_at=None)

    def halides(self) -> list[str]:
        """Which halides there are among these samples. DISTINCT would read them all; this walks an index."""
        from samples.models import Project

        with connection.cursor() as cursor:
            cursor.execute(EVERY_HALIDE)
            known = [halide for (halide,) in cursor.fetchall()]
        asked = {f"halide_{n}": Exists(self.filter(factors__halide=h)) for n, h in enumerate(known)}
        answer = Project.objects.order_by().values_list(*asked.values())[:1] if known else []
        return [halide for found in answer for halide, is_here in zip(known, found, strict=True) if is_here]

    def search(self, text: str) -> SampleQuerySet:
        """Samples whose code, name or notation contains every word of `text`."""
        found = self
        for word in text.split():
            found = found.filter(
                models.Q(code__icontains=word)
                | models.Q(name__icontains=word)
                | models.Q(notation__icontains=word)
            )
        return found

    def for_list(self) -> SampleQuerySet:
        return self.select_related("project", "place", "factors")
