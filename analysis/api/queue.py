"""The queue over REST: what waits, runs and failed, of what one may see."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.backlog import PRIORITIES, backlog
from analysis.models import Run
from measurements.models import Measurement
from samples.models import Project

EXAMPLES = 20


class LaneSerializer(serializers.Serializer):
    lane = serializers.ChoiceField(choices=Run.Lane.choices, source="key")
    running = serializers.IntegerField()
    waiting = serializers.IntegerField(source="waits")
    by_priority = serializers.DictField(
        child=serializers.IntegerField(), source="waiting", help_text=", ".join(PRIORITIES.values())
    )
    oldest_since = serializers.DateTimeField(source="oldest", allow_null=True)
    about_s = serializers.FloatField(
        allow_null=True,
        help_text="Until the last has begun, with everybody’s work before it; null: not known.",
    )


class FilesSerializer(serializers.Serializer):
    waiting = serializers.IntegerField(source="unread")
    oldest_since = serializers.DateTimeField(source="oldest_unread", allow_null=True)


class LastHourSerializer(serializers.Serializer):
    done = serializers.IntegerField(source="done_last_hour")
    failed = serializers.IntegerField(source="failed_last_hour")


class RunningSerializer(serializers.ModelSerializer):
    class Meta:
        model = Run
        fields = ["id", "method", "measurement", "lane", "started_at", "progress", "progress_note"]


class FailureSerializer(serializers.Serializer):
    what = serializers.SerializerMethodField(help_text="run or file")
    method = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField(help_text="Of the newest; the others differ in numbers only.")
    count = serializers.IntegerField()
    runs = serializers.SerializerMethodField()
    measurements = serializers.SerializerMethodField()

    def get_what(self, row: object) -> str:
        return "run" if row.method else "file"  # type: ignore[attr-defined]

    def get_runs(self, row: object) -> list[int]:
        return row.runs[:EXAMPLES]  # type: ignore[attr-defined]

    def get_measurements(self, row: object) -> list[int]:
        return row.measurements[:EXAMPLES]  # type: ignore[attr-defined]


class QueueSerializer(serializers.Serializer):
    busy = serializers.BooleanField()
    running = serializers.IntegerField(source="runs")
    waiting = serializers.IntegerField(source="waits")
    about_s = serializers.FloatField(allow_null=True)
    oldest_since = serializers.DateTimeField(source="oldest", allow_null=True)
    lanes = LaneSerializer(many=True)
    files = FilesSerializer(source="*")
    last_hour = LastHourSerializer(source="*")
    runs = RunningSerializer(source="running", many=True, help_text="Those that are running.")
    failures = FailureSerializer(source="reasons", many=True, help_text="By reason, the most frequent first.")


class QueueView(APIView):
    @extend_schema(
        operation_id="queue_retrieve",
        parameters=[OpenApiParameter("project", str, description="The slug of one of your projects.")],
        responses=QueueSerializer,
    )
    def get(self, request: Request) -> Response:
        """What waits, what runs, what failed and why, of the projects that you see."""
        projects = Project.objects.visible_to(request.user)
        if "project" in request.query_params:
            projects = projects.filter(slug=request.query_params["project"])
            if not projects:
                raise Http404("There is no such project among yours.")
        keys = [project.pk for project in projects]
        found = backlog(
            Run.objects.visible_to(request.user, projects=keys),
            Measurement.objects.visible_to(request.user, projects=keys),
        )
        return Response(QueueSerializer(found).data)
