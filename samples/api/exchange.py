"""Samples in and out over REST: a whole project, or those that a filter finds."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from samples.api.samples import SampleFilter
from samples.exchange import FileError, Outcome, Problem
from samples.exchange.exporting import Extent, extent
from samples.exchange.formats import FORMATS, XLSX, take_in
from samples.exchange.parsing import MOST_PROBLEMS
from samples.exchange.tables import table_called, tables
from samples.exchange.writing import template
from samples.models import Project, Sample, User

NOT_FILTERS = {"project", "as", "table"}


class AskedImport(serializers.Serializer):
    project = serializers.SlugField(help_text="Where the samples go; you are a contributor of it.")
    file = serializers.FileField(
        allow_empty_file=True, help_text="XLSX, CSV, a zip of CSV, JSON as exported, or .eln."
    )
    table = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Which table a lone CSV holds."
    )


class ProblemSerializer(serializers.Serializer):
    sheet = serializers.CharField()
    cell = serializers.CharField()
    message = serializers.CharField()


class ImportSerializer(serializers.Serializer):
    dry_run = serializers.BooleanField()
    saved = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="New rows by table.")
    problems = ProblemSerializer(many=True, help_text=f"The first {MOST_PROBLEMS}.")
    problem_count = serializers.IntegerField()


class ImportView(APIView):
    """Bring in a file of tables: everything of it, or nothing."""

    parser_classes: ClassVar = [MultiPartParser]

    @extend_schema(
        operation_id="import_create",
        request=AskedImport,
        parameters=[
            OpenApiParameter(
                "dry_run", bool, description="true: only say what would be made, and what is wrong"
            )
        ],
        responses={200: ImportSerializer, 201: ImportSerializer, 422: ImportSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = AskedImport(data=request.data)
        asked.is_valid(raise_exception=True)
        project = open_project(request.user, asked.validated_data["project"])
        dry_run = request.query_params.get("dry_run", "").lower() in ("true", "1", "yes")
        outcome = taken(
            request.user, project, asked.validated_data["file"], dry_run, asked.validated_data["table"]
        )
        status = 422 if outcome.problems and not dry_run else 201 if outcome.saved else 200
        return Response(answer(outcome, dry_run), status=status)


def taken(user: User, project: Project, file: UploadedFile, dry_run: bool, table: str = "") -> Outcome:
    try:
        return take_in(
            user=user,
            project=project,
            stream=file.file,
            filename=file.name or "file",
            size=file.size or 0,
            dry_run=dry_run,
            zone=timezone.get_current_timezone(),
            table=table,
        )
    except FileError as error:
        return Outcome({}, [Problem("", "", str(error))], saved=False)


def answer(outcome: Outcome, dry_run: bool) -> dict[str, Any]:
    shown = [vars(problem) for problem in outcome.problems[:MOST_PROBLEMS]]
    body = {
        "dry_run": dry_run,
        "saved": outcome.saved,
        "counts": outcome.counts,
        "problems": shown,
        "problem_count": len(outcome.problems),
    }
    if outcome.problems and not dry_run:
        first = outcome.problems[0]
        where = " ".join(filter(None, [first.sheet, first.cell]))
        body["error"] = {"message": f"Nothing was saved. {where + ': ' if where else ''}{first.message}"}
    return body


def open_project(user: Any, slug: str) -> Project:
    """404 for a project that one does not see, 403 for one that one may only look at."""
    project = seen_project(user, slug)
    if not Project.objects.open_to(user).filter(pk=project.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask one of its managers.")
    return project


def seen_project(user: Any, slug: str) -> Project:
    project = Project.objects.visible_to(user).filter(slug=slug).first()
    if project is None:
        raise Http404(f"There is no project “{slug}” among yours.")
    return project


class TemplateView(APIView):
    """The empty spreadsheet: a sheet per table, and one that explains them."""

    @extend_schema(operation_id="import_template", responses={(200, XLSX): OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponse:
        return attached(template(), XLSX, "vitrine-template.xlsx")


class AskedExport(serializers.Serializer):
    project = serializers.SlugField(help_text="Its address.")
    table = serializers.ChoiceField(
        choices=[],
        required=False,
        allow_blank=True,
        default="",
        help_text="One table, as CSV or Arrow; without it CSV is a zip of all, and Arrow the samples.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["table"].choices = [table.name for table in tables()]
        self.fields["as"] = serializers.ChoiceField(choices=list(FORMATS), default="csv")


class ExportView(APIView):
    """A project as a file. With any filter of the sample list: those samples and all that they come from."""

    @extend_schema(
        operation_id="export_retrieve",
        parameters=[
            OpenApiParameter("project", str, required=True, description="Address of the project"),
            OpenApiParameter("as", str, description="csv (a zip), xlsx, json, arrow, eln"),
            OpenApiParameter("table", str, description="One table, as CSV or Arrow"),
            OpenApiParameter("search", str, description="And every other filter of /samples/"),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="No such project among yours"),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = AskedExport(data=request.query_params)
        asked.is_valid(raise_exception=True)
        project = seen_project(request.user, asked.validated_data["project"])
        filters = {key: value for key, value in request.query_params.items() if key not in NOT_FILTERS}
        of = extent(request.user, project, found(request.user, project, filters) if filters else None)
        return exported(of, asked.validated_data["as"], asked.validated_data["table"])


def found(user: Any, project: Project, filters: dict[str, str]) -> Any:
    samples = Sample.objects.visible_to(user).filter(project=project)
    unknown = set(filters) - set(SampleFilter.base_filters)
    if unknown:
        raise ValidationError({sorted(unknown)[0]: "There is no such filter of samples."})
    chosen = SampleFilter(filters, queryset=samples)
    if not chosen.is_valid():
        raise ValidationError(chosen.errors)
    return chosen.qs


def exported(of: Extent, key: str, table: str = "") -> HttpResponseBase:
    how = FORMATS[key]
    alone = key == "csv" and table_called(table) is not None
    name = f"{of.project.slug}{'-' + table if table else ''}{'.csv' if alone else how.suffix}"
    return attached(how.write(of, table), "text/csv; charset=utf-8" if alone else how.media_type, name)


def attached(content: Any, media_type: str, name: str) -> HttpResponseBase:
    if not isinstance(content, bytes):
        return FileResponse(content, content_type=media_type, as_attachment=True, filename=name)
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
