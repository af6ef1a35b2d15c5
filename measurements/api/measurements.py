"""POST files and get a receipt; list, look at, assign."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from measurements import services
from measurements.api.decisions import Decisions
from measurements.api.forms import TakesFiles
from measurements.models import Measurement
from measurements.serializers import (
    ChangeSerializer,
    MeasurementDetailSerializer,
    MeasurementSerializer,
    ReceiptSerializer,
    UploadSerializer,
)
from measurements.services import Incoming
from measurements.services.receipts import receipt_body
from measurements.techniques import Technique
from samples.models import Project, Sample
from samples.parsers import JSONParser


class MeasurementFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter(field_name="sample__code", label="Code of the sample")
    technique = django_filters.MultipleChoiceFilter(choices=Technique.choices)
    status = django_filters.MultipleChoiceFilter(choices=Measurement.Status.choices)
    origin = django_filters.ChoiceFilter(choices=Measurement.Origin.choices)
    project = django_filters.CharFilter(field_name="project__slug", label="Slug of the project")
    instrument = django_filters.CharFilter(field_name="instrument__name", label="Name of the instrument")
    sha256 = django_filters.CharFilter(method="holding", label="Hash of one of its files")
    inbox = django_filters.BooleanFilter(
        field_name="sample", lookup_expr="isnull", label="true: what waits for a sample"
    )

    class Meta:
        model = Measurement
        fields: ClassVar[list[str]] = []

    def holding(self, measurements: QuerySet, name: str, value: str) -> QuerySet:
        return measurements.filter(files__blob__sha256=value.lower()).distinct()


class MeasurementViewSet(
    TakesFiles, Decisions, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """Measurements of your projects."""

    queryset = Measurement.objects.none()
    serializer_class = MeasurementSerializer
    filterset_class = MeasurementFilter
    parser_classes: ClassVar = [MultiPartParser, JSONParser, FormParser]
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Measurement]:
        rows = Measurement.objects.visible_to(self.request.user)
        rows = rows.select_related("sample", "project", "instrument").prefetch_related("files__blob")
        return rows.prefetch_related("datasets") if self.action != "list" else rows

    @extend_schema(responses=MeasurementDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(MeasurementDetailSerializer(self.get_object()).data)

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: OpenApiResponse(ReceiptSerializer, "Stored. The sha256 is of what is durably on disk."),
            200: OpenApiResponse(
                ReceiptSerializer, "These bytes were already here for sample and technique."
            ),
            403: OpenApiResponse(description="You may look at this sample but not add to it."),
            413: OpenApiResponse(description="The file is larger than this installation takes."),
            503: OpenApiResponse(description="The folder of raw files cannot be written."),
            507: OpenApiResponse(description="The disk is full."),
        },
    )
    def create(self, request: Request) -> Response:
        """Hand in the files of one measurement. The receipt names what is durably stored."""
        form = UploadSerializer(data=_form(request))
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        roles = sent.get("role") or [""] * len(sent["file"])
        receipt = services.receive(
            user=request.user,
            files=[
                Incoming(file.name, getattr(file, "pending", file), role)
                for file, role in zip(sent["file"], roles, strict=True)
            ],
            sample_code=sent.get("sample") or None,
            project=self._project(sent.get("project")),
            technique=sent.get("technique") or None,
            acquired_at=sent.get("acquired_at"),
            conditions=sent.get("conditions"),
            origin=sent.get("origin", Measurement.Origin.MEASURED),
        )
        return Response(receipt_body(receipt), status=201 if receipt.created else 200)

    @extend_schema(request=ChangeSerializer, responses=MeasurementDetailSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Give a measurement of the inbox its sample, or say its technique."""
        measurement = self.get_object()
        form = ChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            if "sample" in form.validated_data:
                services.assign(measurement, self._sample(form.validated_data["sample"]), user=request.user)
            if "technique" in form.validated_data:
                services.set_technique(measurement, form.validated_data["technique"], user=request.user)
        return Response(MeasurementDetailSerializer(self.get_object()).data)

    @extend_schema(request=ChangeSerializer, responses=MeasurementDetailSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """The same as PATCH, for clients that only know POST."""
        return self.partial_update(request, pk)

    def _project(self, slug: str | None) -> Project | None:
        if not slug:
            return None
        project = Project.objects.open_to(self.request.user).filter(slug=slug).first()
        if project is None:
            raise ValidationError({"project": [f"There is no project “{slug}” into which you may write."]})
        return project

    def _sample(self, code: str) -> Sample:
        sample = Sample.objects.visible_to(self.request.user).filter(code=code.strip()).first()
        if sample is None:
            raise ValidationError({"sample": [f"There is no sample “{code}”. Check the code on the label."]})
        return sample


def _form(request: Request) -> dict[str, Any]:
    """Plain values, and lists for what may come more than once."""
    data = request.data
    if not hasattr(data, "getlist"):
        raise ValidationError({"file": ["Send the files as multipart/form-data."]})
    form = {name: data.get(name) for name in UploadSerializer._declared_fields if name in data}
    form["file"] = data.getlist("file")
    if "role" in data:
        form["role"] = data.getlist("role")
    return form
