from __future__ import annotations

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
    measurements = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=1000)
    inputs = serializers.DictField(
        child=serializers.IntegerField(), default=dict, help_text="role: measurement id"
    )
    params = serializers.DictField(default=dict)


class RunStateSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    status = serializers.CharField()
    measurement = serializers.IntegerField(source="measurement_id")


class RunAcceptedSerializer(RunStateSerializer):
    runs = RunStateSerializer(many=True, help_text="One per measurement; the first stands outside as well.")


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
        form = RunRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        inputs = {role: _writable(request.user, pk) for role, pk in asked["inputs"].items()}
        measurements = [_writable(request.user, pk) for pk in asked["measurements"]]
        for measurement in measurements:
            _refuse_secrets(inputs, measurement)
        runs = [self._ask(request, measurement, asked, inputs) for measurement in measurements]
        body = RunStateSerializer(runs[0]).data | {"runs": RunStateSerializer(runs, many=True).data}
        return Response(body, status=202)

    def _ask(
        self,
        request: Request,
        measurement: Measurement,
        asked: dict[str, Any],
        inputs: dict[str, Measurement],
    ) -> Run:
        try:
            run, _ = services.request_run(
                measurement, asked["method"], asked["params"], user=request.user, inputs=inputs
            )
        except methods.ParamsError as error:
            raise ValidationError({error.field: error.message}) from None
        except KeyError as error:
            raise ValidationError({"method": error.args[0]}) from None
        except NothingToRunError as error:
            raise ValidationError({"measurements": str(error)}) from None
        return run

    @extend_schema(request=None, responses={202: RunStateSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a run that waits, or end one that is running. What has finished stays as it is."""
        run = self.get_object()
        if not Run.objects.open_to(request.user).filter(pk=run.pk).exists():
            raise PermissionDenied("You may look at this project but not end its runs; ask its manager.")
        return Response(RunStateSerializer(services.cancel(run)).data, status=202)


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
