"""Default parameters of a project over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import methods
from analysis.models import ProjectParams
from analysis.services.parameters import set_defaults, settled
from samples.models import Project


class ParametersSerializer(serializers.Serializer):
    method = serializers.CharField()
    params = serializers.DictField(help_text="All of them; what is not given is the method's own default.")
    changed_by = serializers.CharField(read_only=True, allow_null=True)
    changed_at = serializers.DateTimeField(read_only=True, allow_null=True)


class ParametersView(APIView):
    """With which parameters new measurements of a project are analysed, method by method."""

    @extend_schema(responses=ParametersSerializer(many=True), operation_id="project_parameters_list")
    def get(self, request: Request, slug: str) -> Response:
        return Response(_told(_project(request, slug)))

    @extend_schema(
        request=ParametersSerializer,
        responses=ParametersSerializer(many=True),
        operation_id="project_parameters_set",
    )
    def put(self, request: Request, slug: str) -> Response:
        """For managers. What was analysed with earlier defaults becomes outdated."""
        project = _project(request, slug)
        form = ParametersSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        try:
            set_defaults(project, asked["method"], asked["params"], user=request.user)
        except methods.ParamsError as error:
            raise ValidationError({error.field: error.message}) from None
        except KeyError as error:
            raise ValidationError({"method": error.args[0]}) from None
        return Response(_told(project))


def _project(request: Request, slug: str) -> Project:
    found: Project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    return found


def _told(project: Project) -> Any:
    rows = {
        row.method: row for row in ProjectParams.objects.filter(project=project).select_related("changed_by")
    }
    told = []
    for key, loaded in methods.registry().items():
        row = rows.get(key)
        told.append(
            {
                "method": key,
                "params": settled(loaded, row),
                "changed_by": row.changed_by.username if row else None,
                "changed_at": row.changed_at if row else None,
            }
        )
    return ParametersSerializer(told, many=True).data
