"""Questions about runs and values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from measurements.querysets import OfMeasurement
from samples.querysets import MANAGER, OfProject, hidden_from

LEASE = timedelta(seconds=30)


def lapsed() -> Q:
    """Leases that nobody renews any more. By the database's clock; and one that ends later than any lease can
    was written before that clock was set back, so it says nothing."""
    return Q(lease_until__lt=Now()) | Q(lease_until__gt=Now() + 2 * LEASE)


class RunQuerySet(OfMeasurement):
    """What a run analysed must be in sight, and what a person named for it: its curves show a blank or an IRF
    as well, so an embargo laid on that later hides the run. So it is with the samples whose values it read.
    Calibrations serve everybody and hide nothing."""

    def _in_projects(
        self, user: Any, role: int, *, embargo: bool = True, projects: Any = None
    ) -> RunQuerySet:
        rows = super()._in_projects(user, role, embargo=embargo, projects=projects)
        if not user.is_authenticated or not embargo:
            return rows
        hidden = hidden_from(user)
        inputs = self.model._meta.get_field("inputs").related_model.objects
        given = inputs.filter(calibration=None, dataset__measurement__sample__in=hidden)
        values = self.model._meta.get_field("value_inputs").related_model.objects
        read = values.filter(value__sample__in=hidden)
        rows = rows.exclude(sample__in=hidden).exclude(pk__in=given.order_by().values("run"))
        return rows.exclude(pk__in=read.order_by().values("run"))

    def _belongs_to(self, projects: Any) -> Q:
        """Through what it analysed: a measurement, the values of a sample, or those of a project."""
        return (
            Q(measurement__project__in=projects) | Q(sample__project__in=projects) | Q(project__in=projects)
        )

    def claimable(self) -> RunQuerySet:
        """Queued, or running under a lease that its worker no longer renews."""
        return self.filter(Q(status="queued") | Q(lapsed(), status="running"))

    def abandoned(self) -> RunQuerySet:
        return self.filter(lapsed(), status="running")

    def forgotten_for(self, seconds: float) -> RunQuerySet:
        """Queued long enough ago that the message to execute it must have been lost."""
        return self.filter(status="queued", queued_at__lt=timezone.now() - timedelta(seconds=seconds))

    def outdated(self, method: str, version: int) -> RunQuerySet:
        """Runs whose values are current although the method has moved on."""
        return self.filter(method=method, method_version__lt=version, values__current=True).distinct()

    def for_list(self) -> RunQuerySet:
        return self.select_related(
            "measurement__sample", "measurement__project", "sample__project", "project"
        )


class ValueQuerySet(OfProject):
    """What was derived from a value goes out of sight with it: a slope tells of each of its points."""

    sample_path = "sample"

    def _in_projects(
        self, user: Any, role: int, *, embargo: bool = True, projects: Any = None
    ) -> ValueQuerySet:
        rows = super()._in_projects(user, role, embargo=embargo, projects=projects)
        if not user.is_authenticated or not embargo:
            return rows
        inputs = self.model._meta.get_field("run").related_model._meta.get_field("value_inputs")
        read = inputs.related_model.objects.filter(value__sample__in=hidden_from(user))
        return rows.filter(Q(run=None) | ~Q(run__in=read.order_by().values("run")))

    def current(self) -> ValueQuerySet:
        return self.filter(current=True)

    def _belongs_to(self, projects: Any) -> Q:
        """Through the sample, or the measurement while that waits for one, or the project as a whole."""
        waiting = Q(sample__isnull=True, measurement__project__in=projects)
        return Q(sample__project__in=projects) | waiting | Q(project__in=projects)


class ConflictQuerySet(OfProject):
    """One value of an embargoed sample hides the whole conflict: its words tell the value."""

    def open(self) -> ConflictQuerySet:
        return self.filter(decided_at=None)

    def visible_to(self, user: Any, **known: Any) -> ConflictQuerySet:
        named = self.model.values.through.objects.filter(conflict=OuterRef("pk"))
        return (
            super()
            .visible_to(user, **known)
            .exclude(Exists(named.filter(value__sample__in=hidden_from(user))))
        )


class WebhookQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> WebhookQuerySet:
        """For managers of its project: it carries results out of the house."""
        from samples.models import Project

        return self.filter(project__in=Project.objects.with_role(user, MANAGER))


class CalibrationQuerySet(OfProject):
    sample_path = "measurement__sample"

    def in_force(self) -> CalibrationQuerySet:
        """Not withdrawn, and its measurement still counts."""
        return self.filter(withdrawn_at__isnull=True, measurement__status="read")

    def with_end(self) -> CalibrationQuerySet:
        """`ends_at`: until when it is valid. One without an end of its own ends where another of its
        instrument and kind begins; of two that begin together, the one entered last holds."""
        begins_later = Q(valid_from__gt=OuterRef("valid_from"))
        entered_later = Q(valid_from=OuterRef("valid_from"), pk__gt=OuterRef("pk"))
        others = self.model.objects.in_force().filter(
            instrument=OuterRef("instrument"), kind=OuterRef("kind")
        )
        following = others.filter(begins_later | entered_later).order_by("valid_from", "pk")
        return self.annotate(ends_at=Coalesce("valid_until", Subquery(following.values("valid_from")[:1])))

    def valid_at(self, moment: Any) -> CalibrationQuerySet:
        """In force at that moment, the one to be used first. It begins with the instant `valid_from` and does
        not include that of its end."""
        begun = self.in_force().with_end().filter(valid_from__lte=moment)
        return begun.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=moment)).order_by("-valid_from", "-pk")

    def for_list(self, user: Any) -> CalibrationQuerySet:
        """`used_by`: how many runs that the reader may see were given it."""
        from analysis.models import Run, RunInput

        given = RunInput.objects.filter(calibration=OuterRef("pk"), run__in=Run.objects.visible_to(user))
        count = given.order_by().values("calibration").annotate(count=Count("run", distinct=True))
        return (
            self.with_end()
            .annotate(used_by=Coalesce(Subquery(count.values("count")), 0))
            .select_related("project", "instrument", "measurement__sample", "made_by", "withdrawn_by")
            .order_by("instrument__name", "kind", "-valid_from", "-pk")
        )


class NoticeQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> NoticeQuerySet:
        """A person's own, of projects whose member they still are when they read it."""
        from samples.models import Membership

        mine = Membership.objects.filter(user=user).values("project_id")
        return self.filter(Q(project=None) | Q(project__in=mine), user=user)

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at=None)


class ReanalysisQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> ReanalysisQuerySet:
        """For managers of its project: its counts tell of samples that an embargo hides from others."""
        from samples.models import Project

        return self.filter(project__in=Project.objects.with_role(user, MANAGER))
