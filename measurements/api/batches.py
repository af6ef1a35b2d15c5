"""Many files by a manifest, over REST: check it, hand in the files, record what is right."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from measurements.api.forms import TakesFiles
from measurements.models import Batch
from measurements.services import batches
from measurements.services.batches.checking import check
from measurements.services.batches.filling import manifest_of, unpacked
from measurements.services.batches.verdicts import STATES, Plan, Verdict
from samples.models import Project
from samples.parsers import JSONParser

MOST_ANNOUNCED = 10_000


class AskedBatch(serializers.Serializer):
    project = serializers.SlugField(help_text="Whose inbox takes what cannot be recorded as its row says.")
    manifest = serializers.FileField(
        allow_empty_file=True, help_text="CSV or XLSX, or a zip of the manifest and its files."
    )
    filename = serializers.ListField(
        child=serializers.CharField(max_length=1000),
        required=False,
        max_length=MOST_ANNOUNCED,
        help_text="With dry_run: names of the files that will come, so that missing ones are told now.",
    )


class AskedFiles(serializers.Serializer):
    file = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        allow_empty=False,
        error_messages={"empty": "No file came with the request. Attach one or more under the name “file”."},
        help_text="One or more; repeat the part.",
    )


class BatchRowSerializer(serializers.Serializer):
    row = serializers.IntegerField(source="number", help_text="As a spreadsheet counts.")
    state = serializers.ChoiceField(choices=STATES)
    sentences = serializers.ListField(child=serializers.CharField())
    sample = serializers.CharField(source="said.sample", allow_null=True, default=None)
    technique = serializers.CharField(source="said.technique", allow_null=True, default=None)
    file = serializers.CharField(source="said.file", allow_null=True, default=None)
    role = serializers.CharField(source="said.role", allow_null=True, default=None)
    sha256 = serializers.CharField(source="blob.sha256", allow_null=True, default=None)
    measurement = serializers.IntegerField(source="recorded", allow_null=True)


class ReportSerializer(serializers.Serializer):
    id = serializers.IntegerField(allow_null=True, help_text="null: a dry run")
    dry_run = serializers.BooleanField()
    name = serializers.CharField()
    project = serializers.CharField()
    status = serializers.ChoiceField(choices=Batch.Status.choices, allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by state.")
    remarks = serializers.ListField(child=serializers.CharField())
    unnamed = serializers.ListField(
        child=serializers.CharField(), help_text="Files that no row names; they go to the inbox."
    )
    rows = BatchRowSerializer(many=True)


class BatchSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug")

    class Meta:
        model = Batch
        fields = ["id", "name", "project", "status", "created_at", "committed_at"]
        read_only_fields = fields


class BatchViewSet(TakesFiles, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Your batches."""

    queryset = Batch.objects.none()
    serializer_class = BatchSerializer
    parser_classes: ClassVar = [MultiPartParser, JSONParser]
    lookup_value_regex = r"\d{1,18}"

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, batches.FileError):
            error = ValidationError({"manifest": [str(error)]})
        return super().handle_exception(error)

    def get_queryset(self) -> QuerySet[Batch]:
        return Batch.objects.visible_to(self.request.user).select_related("project", "created_by")

    @extend_schema(responses=ReportSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Each row as it stands now."""
        return Response(report(self.get_object()))

    @extend_schema(
        request={"multipart/form-data": AskedBatch},
        parameters=[OpenApiParameter("dry_run", bool, description="true: only say what would become of it")],
        responses={
            200: OpenApiResponse(ReportSerializer, "Checked; nothing is kept."),
            201: OpenApiResponse(ReportSerializer, "The batch waits for its files."),
        },
    )
    def create(self, request: Request) -> Response:
        """A manifest, checked row by row. Nothing is recorded before `commit`."""
        form = AskedBatch(data=_form(request, "filename"))
        form.is_valid(raise_exception=True)
        project = _project(request, form.validated_data["project"])
        upload = form.validated_data["manifest"]
        if request.query_params.get("dry_run", "").lower() in ("true", "1", "yes"):
            return Response(_dry_run(request, project, upload, form.validated_data.get("filename")))
        batch = batches.open_batch(
            user=request.user,
            project=project,
            name=upload.name,
            upload=upload.pending,
            zone=_zone(request),
        )
        return Response(report(batch), status=201)

    @extend_schema(request={"multipart/form-data": AskedFiles}, responses={201: ReportSerializer})
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def files(self, request: Request, pk: str) -> Response:
        """Hand in files of the batch, with their folders in the names or without. Each is durable at once."""
        batch = self.get_object()
        form = AskedFiles(data=_form(request, "file"))
        form.is_valid(raise_exception=True)
        for upload in form.validated_data["file"]:
            batches.add_file(batch, upload.name, upload.pending)
        return Response(report(batch), status=201)

    @extend_schema(request=None, responses={200: ReportSerializer, 202: ReportSerializer})
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def commit(self, request: Request, pk: str) -> Response:
        """Record what is right, send what is wrong to the inbox, leave open what waits for its file. 202: a
        worker does it; ask again for the batch. Repeating it changes nothing twice."""
        batch = batches.commit(self.get_object(), request.user)
        return Response(report(batch), status=202 if batch.status == Batch.Status.QUEUED else 200)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=False, methods=["get"], filter_backends=[], pagination_class=None)
    def template(self, request: Request) -> HttpResponse:
        """A manifest to fill in."""
        return template_file()


def template_file() -> HttpResponse:
    answer = HttpResponse(batches.template(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="manifest.csv"'
    return answer


def report(batch: Batch) -> dict[str, Any]:
    return _described(batches.plan_of(batch), batch, batch.name, batch.project, batch.remarks)


def _described(
    plan: Plan, batch: Batch | None, name: str, project: Project, remarks: list[str]
) -> dict[str, Any]:
    return {
        "id": batch.pk if batch else None,
        "dry_run": batch is None,
        "name": name,
        "project": project.slug,
        "status": batch.status if batch else None,
        "counts": plan.counts,
        "remarks": remarks,
        "unnamed": [file.name for file in plan.unnamed],
        "rows": BatchRowSerializer(plan.verdicts, many=True).data,
    }


def _dry_run(
    request: Request, project: Project, upload: UploadedFile, announced: list[str] | None
) -> dict[str, Any]:
    name = upload.name or "manifest"
    with unpacked(upload.pending, name) as (table, table_name, others):
        manifest = manifest_of(table, table_name, _zone(request))
    rows = [Verdict(row.number, row.said, list(row.wrong)) for row in manifest.rows]
    names = [*(announced or []), *(inside for _, inside in others)]
    known = names if announced is not None or others else None
    plan = check(rows, user=request.user, project=project, announced=known)
    return _described(plan, None, name, project, manifest.remarks)


def _zone(request: Request) -> tzinfo | None:
    """Of times without one: a person at a page has a zone, a script with a token has none."""
    return None if request.auth else timezone.get_current_timezone()


def _project(request: Request, slug: str) -> Project:
    project = Project.objects.visible_to(request.user).filter(slug=slug).first()
    if project is None:
        raise ValidationError({"project": [f"There is no project “{slug}” among yours."]})
    if not Project.objects.open_to(request.user).filter(pk=project.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask one of its managers.")
    return project


def _form(request: Request, repeated: str) -> dict[str, Any]:
    data = request.data
    if not hasattr(data, "getlist"):
        raise ValidationError({"file": ["Send it as multipart/form-data."]})
    form = {name: data.get(name) for name in ("project", "manifest") if name in data}
    if repeated in data or repeated == "file":
        form[repeated] = data.getlist(repeated)
    return form
