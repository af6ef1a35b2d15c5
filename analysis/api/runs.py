from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import methods, services
from analysis.api.values import ValueSerializer
from analysis.models import Run, RunInput, Value, ValueInput
from analysis.services.choosing import without_secrets
from analysis.services.requesting import NothingToRunError
from measurements.models import Measurement
from samples.models import Project, Sample

SUBJECTS = ("measurements", "sample", "project")


class RunInputSerializer(serializers.ModelSerializer):
    class Meta:
        model = RunInput
        fields = ["role", "dataset", "calibration"]


class RunSerializer(serializers.ModelSerializer):
    inputs = RunInputSerializer(many=True, read_only=True)
    values = ValueSerializer(many=True, read_only=True)
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True)
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    value_inputs = serializers.SerializerMethodField(
        help_text="Keys of the values that a run over values read, as far as the reader may see them."
    )

    def get_value_inputs(self, run: Run) -> list[int]:
        return [given.value_id for given in run.value_inputs.all()]

    class Meta:
        model = Run
        fields = [
            "id", "status", "method", "method_version", "params", "measurement", "sample", "project",
            "trigger", "message",
            "warnings", "notes", "attempts", "created_at", "started_at", "finished_at", "duration_s",
            "lane", "priority", "progress", "progress_note", "cancel_asked_at",
            "stale", "supersedes", "reanalysis", "verifies", "verdict", "inputs",
            "value_inputs", "values",
        ]  # fmt: skip


class RunRequestSerializer(serializers.Serializer):
    method = serializers.CharField()
    measurements = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        allow_empty=False,
        max_length=1000,
        help_text="For a method over measurements: one run of each.",
    )
    sample = serializers.CharField(
        required=False, max_length=40, help_text="For a method over the values of one sample: its code."
    )
    project = serializers.CharField(
        required=False, max_length=60, help_text="For a method over the values of a project: its slug."
    )
    inputs = serializers.DictField(
        child=serializers.IntegerField(),
        default=dict,
        help_text="role: measurement id",
    )
    params = serializers.DictField(default=dict)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if sum(bool(asked.get(name)) for name in SUBJECTS) != 1:
            raise ValidationError("Say what the method is to look at: measurements, a sample or a project.")
        if asked["inputs"] and not asked.get("measurements"):
            raise ValidationError({"inputs": "A method over values reads values; leave the inputs out."})
        return asked


class RunStateSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    status = serializers.CharField()
    measurement = serializers.IntegerField(source="measurement_id", allow_null=True)
    sample = serializers.CharField(source="sample.code", allow_null=True, default=None)
    project = serializers.CharField(source="project.slug", allow_null=True, default=None)


class RunAcceptedSerializer(RunStateSerializer):
    runs = RunStateSerializer(
        many=True, help_text="One per measurement, sample or project; the first stands outside as well."
    )


class RunFilter(django_filters.FilterSet):
    measurement = django_filters.NumberFilter("measurement_id")
    project = django_filters.CharFilter(method="of_project", label="Of its measurements, samples or itself")
    reanalysis = django_filters.NumberFilter("reanalysis_id")

    class Meta:
        model = Run
        fields: ClassVar = ["status", "method", "method_version"]

    def of_project(self, runs: QuerySet[Run], name: str, slug: str) -> QuerySet[Run]:
        return runs.filter(
            Q(measurement__project__slug=slug) | Q(sample__project__slug=slug) | Q(project__slug=slug)
        )


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Runs of analysis methods. Asking the same question twice gives the same run."""

    serializer_class = RunSerializer
    filterset_class = RunFilter
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        seen = Value.objects.visible_to(self.request.user)
        read = ValueInput.objects.filter(value__in=seen.order_by().values("pk")).order_by("value")
        runs = Run.objects.visible_to(self.request.user).select_related("sample", "project")
        return runs.prefetch_related(
            "values__sample",
            "values__project",
            "values__publication",
            "values__reviews__by",
            "inputs",
            Prefetch("value_inputs", queryset=read),
        )

    @extend_schema(request=RunRequestSerializer, responses={202: RunAcceptedSerializer})
    def create(self, request: Request) -> Response:
        """Ask a method about measurements, or, where it is one over values, about a sample or a project.

        What a person asks over values holds until these change; it is then asked anew, with the project's
        parameters.
        """
        form = RunRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        with _said_as_400(next(name for name in SUBJECTS if asked.get(name))):
            runs = self._over_values(request, asked) or self._of_measurements(request, asked)
        body = RunStateSerializer(runs[0]).data | {"runs": RunStateSerializer(runs, many=True).data}
        return Response(body, status=202)

    def _over_values(self, request: Request, asked: dict[str, Any]) -> list[Run]:
        if asked.get("measurements"):
            return []
        kind, name = (Sample, "sample") if asked.get("sample") else (Project, "project")
        subject = _named(request.user, kind, asked[name])
        return [services.request_over(subject, asked["method"], asked["params"], user=request.user)]

    def _of_measurements(self, request: Request, asked: dict[str, Any]) -> list[Run]:
        loaded = methods.get(asked["method"])
        if loaded.over_values:
            raise NothingToRunError(f"{loaded.method.title} is asked of a {loaded.method.over}; name one.")
        inputs = {role: _writable(request.user, pk) for role, pk in asked["inputs"].items()}
        measurements = [_writable(request.user, pk) for pk in asked["measurements"]]
        for measurement in measurements:
            _refuse_secrets(inputs, measurement)
        return [
            services.request_run(
                measurement, asked["method"], asked["params"], user=request.user, inputs=inputs
            )[0]
            for measurement in measurements
        ]

    @extend_schema(request=None, responses={202: RunStateSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a run that waits, or end one that is running. What has finished stays as it is."""
        run = self.get_object()
        if not Run.objects.open_to(request.user).filter(pk=run.pk).exists():
            raise PermissionDenied("You may look at this project but not end its runs; ask its manager.")
        return Response(RunStateSerializer(services.cancel(run)).data, status=202)


@contextmanager
def _said_as_400(subject: str) -> Iterator[None]:
    try:
        yield
    except methods.ParamsError as error:
        raise ValidationError({error.field: error.message}) from None
    except KeyError as error:
        raise ValidationError({"method": error.args[0]}) from None
    except NothingToRunError as error:
        raise ValidationError({subject: str(error)}) from None


def _named(user: Any, kind: type[Sample] | type[Project], name: str) -> Sample | Project:
    rows: Any = kind._default_manager
    named = {"code": name} if kind is Sample else {"slug": name}
    subject: Sample | Project | None = rows.visible_to(user).filter(**named).first()
    if subject is None:
        raise Http404
    if not rows.open_to(user).filter(pk=subject.pk).exists():
        raise PermissionDenied("You may look at this project but not run analyses in it; ask its manager.")
    return subject


def _writable(user: Any, pk: int) -> Measurement:
    measurement = Measurement.objects.visible_to(user).filter(pk=pk).first()
    if measurement is None:
        raise Http404
    if not Measurement.objects.open_to(user).filter(pk=pk).exists():
        raise PermissionDenied("You may look at this project but not run analyses in it; ask its manager.")
    return measurement


def _refuse_secrets(inputs: dict[str, Measurement], measurement: Measurement) -> None:
    asked = {source.pk for source in inputs.values()}
    if asked and without_secrets(Measurement.objects.filter(pk__in=asked), measurement).count() < len(asked):
        raise Http404
