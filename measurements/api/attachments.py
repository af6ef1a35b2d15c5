"""Attachments over REST: photos, furnace logs and files of samples, preparations and steps."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from measurements.api.contents import attached
from measurements.api.forms import TakesFiles
from measurements.models import Attachment
from measurements.services.attachments import Subject, attach, void_attachment
from measurements.services.furnace import attach_log
from measurements.store import store
from samples.api.sentences import ReasonSerializer, in_sentences, must_write, visible_sample
from samples.models import Preparation
from samples.pagination import NewestFirst
from samples.parsers import JSONParser


class AttachmentSerializer(serializers.ModelSerializer):
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True)
    step = serializers.CharField(read_only=True, help_text="Such as sintering-2; empty: of the whole.")
    sha256 = serializers.CharField(source="blob.sha256", read_only=True)
    size = serializers.IntegerField(source="blob.size", read_only=True)

    class Meta:
        model = Attachment
        fields = [
            "id", "sample", "preparation", "step", "kind", "filename", "media_type", "size", "sha256",
            "note", "reading", "attached_at", "voided_at", "void_reason",
        ]  # fmt: skip
        read_only_fields = fields


class NewAttachmentSerializer(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True)
    sample = serializers.CharField(required=False, allow_blank=True, max_length=40, help_text="Its code.")
    preparation = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    step = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="Of the preparation, such as sintering-2."
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    furnace_log = serializers.BooleanField(
        required=False, help_text="Read it, and record the step as the furnace ran."
    )


class AttachmentFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter(field_name="sample__code", label="Code of the sample")
    preparation = django_filters.NumberFilter(field_name="preparation_id")
    kind = django_filters.ChoiceFilter(choices=Attachment.Kind.choices)

    class Meta:
        model = Attachment
        fields: ClassVar[list[str]] = []


class AttachmentViewSet(
    TakesFiles, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """What is attached to samples and preparations that you may see."""

    queryset = Attachment.objects.none()
    serializer_class = AttachmentSerializer
    filterset_class = AttachmentFilter
    pagination_class = NewestFirst
    parser_classes: ClassVar = [MultiPartParser, JSONParser, FormParser]
    lookup_value_regex = r"\d{1,18}"

    def handle_exception(self, error: Exception) -> Response:
        try:
            with in_sentences():
                raise error
        except Exception as translated:
            return super().handle_exception(translated)

    def get_queryset(self) -> QuerySet[Attachment]:
        rows = Attachment.objects.visible_to(self.request.user).select_related(
            "blob", "sample", "preparation"
        )
        return rows.in_use() if self.action == "list" else rows

    @extend_schema(
        request={"multipart/form-data": NewAttachmentSerializer}, responses={201: AttachmentSerializer}
    )
    def create(self, request: Request) -> Response:
        """Attach a file. A furnace log is read at once and gives its step the programme as it ran."""
        form = NewAttachmentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        subject = self._subject(said)
        file = said["file"]
        stream, note = getattr(file, "pending", file), said.get("note", "")
        if said.get("furnace_log"):
            if subject.preparation is None:
                raise ValidationError({"furnace_log": ["A furnace log belongs to a step of a preparation."]})
            row = attach_log(
                user=request.user,
                preparation=subject.preparation,
                step=subject.step,
                name=file.name,
                stream=stream,
                note=note,
            )
        else:
            row = attach(user=request.user, subject=subject, name=file.name, stream=stream, note=note)
        return Response(AttachmentSerializer(row).data, status=201)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def content(self, request: Request, pk: str) -> HttpResponseBase:
        """The original bytes, to be saved. The ETag is their SHA-256."""
        row = self.get_object()
        return _served(request, row, "application/octet-stream")

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def picture(self, request: Request, pk: str) -> HttpResponseBase:
        """A PNG, JPEG or WebP, to be shown; 404 for anything else."""
        row = self.get_object()
        if row.media_type not in Attachment.PICTURES:
            raise NotFound("This file is no picture that can be shown; download its content.")
        return _served(request, row, row.media_type)

    @extend_schema(request=ReasonSerializer, responses=AttachmentSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take it from the pages; its bytes stay, and so does the reason."""
        row = self.get_object()
        must_write(request.user, project_of(row))
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        withdrawn = void_attachment(user=request.user, attachment=row, reason=form.validated_data["reason"])
        return Response(AttachmentSerializer(withdrawn).data)

    def _subject(self, said: dict[str, Any]) -> Subject:
        user = self.request.user
        sample = visible_sample(user, said["sample"]) if said.get("sample") else None
        preparation = None
        if said.get("preparation"):
            preparation = Preparation.objects.visible_to(user).filter(pk=said["preparation"]).first()
            if preparation is None:
                raise ValidationError({"preparation": ["There is no such preparation in your projects."]})
        subject = Subject(sample, preparation, said.get("step", ""))
        for owner in (sample, preparation):
            if owner is not None:
                must_write(user, owner.project_id)
        return subject


def project_of(row: Attachment) -> int:
    owner = row.sample or row.preparation
    assert owner is not None  # the database refuses an attachment of nothing
    return owner.project_id


def _served(request: Request, row: Attachment, content_type: str) -> HttpResponseBase:
    """Never as a page: a browser is told the type and must not guess another, and nothing in it may run."""
    etag = f'"{row.blob.sha256}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        response = FileResponse(store().open(row.blob.sha256), content_type=content_type)
        attached(response, row.filename)
        if content_type in Attachment.PICTURES:
            response["Content-Disposition"] = "inline"
    response["ETag"] = etag
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-cache"
    return response
