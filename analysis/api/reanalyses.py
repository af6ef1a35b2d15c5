"""Reanalysis over REST: what is outdated, asking it again, and the report."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import methods, services
from analysis.models import Notice, Reanalysis, Run
from analysis.services.outdated import REASONS
from samples.models import Project
from samples.querysets import MANAGER


class ReanalysisSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug", read_only=True)
    asked_by = serializers.CharField(source="asked_by.username", default=None, read_only=True)
    report = serializers.JSONField(read_only=True)

    class Meta:
        model = Reanalysis
        fields = [
            "id", "project", "method", "trigger", "reason", "asked_by", "state", "found", "begun_at",
            "finished_at", "report",
        ]  # fmt: skip
        read_only_fields = fields


class ReanalysisRequestSerializer(serializers.Serializer):
    method = serializers.CharField(default="", allow_blank=True, help_text="Empty: all methods.")
    project = serializers.CharField(
        default="", allow_blank=True, help_text="Its slug; empty: every project that you manage."
    )
    reason = serializers.CharField(default="", allow_blank=True, max_length=1000)
    dry_run = serializers.BooleanField(default=False, help_text="Say how many and how long; queue nothing.")


class PlannedSerializer(serializers.Serializer):
    project = serializers.CharField(source="project.slug")
    method = serializers.CharField()
    reason = serializers.CharField(help_text="version, reader, stale or parameters")
    sentence = serializers.SerializerMethodField()
    runs = serializers.IntegerField()
    seconds = serializers.FloatField(
        allow_null=True, help_text="Of computing, from the median of past runs; null when there are none."
    )

    def get_sentence(self, planned: Any) -> str:
        return REASONS[planned.reason]


class ReanalysisFilter(django_filters.FilterSet):
    project = django_filters.CharFilter("project__slug")

    class Meta:
        model = Reanalysis
        fields: ClassVar = ["state", "method"]


class ReanalysisViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Rounds of asking outdated runs again, one project each. Only its managers see and begin them."""

    serializer_class = ReanalysisSerializer
    filterset_class = ReanalysisFilter
    queryset = Reanalysis.objects.none()

    def get_queryset(self) -> QuerySet[Reanalysis]:
        return Reanalysis.objects.visible_to(self.request.user).select_related("project", "asked_by")

    @extend_schema(
        request=ReanalysisRequestSerializer,
        responses={
            200: inline_serializer(
                "ReanalysisPlan",
                {"planned": PlannedSerializer(many=True), "runs": serializers.IntegerField()},
            ),
            202: inline_serializer("ReanalysesBegun", {"begun": ReanalysisSerializer(many=True)}),
        },
    )
    def create(self, request: Request) -> Response:
        """Ask again for everything outdated; with `dry_run` only say what that would be."""
        form = ReanalysisRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        method = asked["method"] or None
        if method is not None and method not in methods.registry():
            known = ", ".join(methods.registry())
            raise ValidationError({"method": f"There is no method “{method}”; known are: {known}."})
        projects = _managed(request, asked["project"])
        if asked["dry_run"]:
            planned = services.plan(projects, method)
            rows = PlannedSerializer(planned, many=True).data
            return Response({"planned": rows, "runs": sum(each.runs for each in planned)})
        begun = [
            services.begin(
                project, method, user=request.user, trigger=Run.Trigger.PERSON, reason=asked["reason"]
            )
            for project in projects
        ]
        some = [campaign for campaign in begun if campaign is not None]
        return Response({"begun": ReanalysisSerializer(some, many=True).data}, status=202)

    @extend_schema(request=None, responses=ReanalysisSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """What runs ends; what waits, waits until it is resumed."""
        campaign = self.get_object()
        services.pause(campaign)
        campaign.refresh_from_db()
        return Response(ReanalysisSerializer(campaign).data)

    @extend_schema(request=None, responses=ReanalysisSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on where it was paused."""
        campaign = self.get_object()
        services.resume(campaign)
        campaign.refresh_from_db()
        return Response(ReanalysisSerializer(campaign).data)


def _managed(request: Request, slug: str) -> list[Project]:
    managed = Project.objects.with_role(request.user, MANAGER)
    if not slug:
        if not managed.exists():
            raise PermissionDenied("Only managers of a project may begin a reanalysis; ask one of them.")
        return list(managed)
    if not Project.objects.visible_to(request.user).filter(slug=slug).exists():
        raise ValidationError({"project": f"There is no project “{slug}” among yours."})
    found = list(managed.filter(slug=slug))
    if not found:
        raise PermissionDenied("Only a manager of the project may begin a reanalysis; ask one of them.")
    return found


class NoticeSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug", default=None, read_only=True)

    class Meta:
        model = Notice
        fields = ["id", "text", "url", "project", "at", "read_at"]
        read_only_fields = fields


class NoticeFilter(django_filters.FilterSet):
    unread = django_filters.BooleanFilter("read_at", lookup_expr="isnull")

    class Meta:
        model = Notice
        fields: ClassVar[list[str]] = []


class NoticeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What you should know; nobody else reads it."""

    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter
    queryset = Notice.objects.none()

    def get_queryset(self) -> QuerySet[Notice]:
        return Notice.objects.visible_to(self.request.user).select_related("project")

    @extend_schema(request=None, responses=NoticeSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark it as read."""
        notice = self.get_object()
        services.mark_read(request.user, notice.pk)
        return Response(NoticeSerializer(self.get_queryset().get(pk=notice.pk)).data)

    @extend_schema(
        operation_id="notices_read_all",
        request=None,
        responses={204: OpenApiResponse(description="All are marked as read.")},
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="read")
    def read_all(self, request: Request) -> Response:
        """Mark all as read."""
        services.mark_read(request.user)
        return Response(status=204)
