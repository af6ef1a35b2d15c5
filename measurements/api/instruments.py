"""Instruments and their tokens. Members see instruments; managers of the project add them and make tokens."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from measurements import services
from measurements.api.errors import as_http
from measurements.models import Instrument
from measurements.serializers import (
    InstrumentSerializer,
    InstrumentTokenSerializer,
    NewInstrumentTokenSerializer,
)
from samples.models import Project, Role


class InstrumentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Machines that post files into your projects."""

    queryset = Instrument.objects.none()
    serializer_class = InstrumentSerializer
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Instrument]:
        return Instrument.objects.visible_to(self.request.user).select_related("project", "account")

    @extend_schema(responses={201: InstrumentSerializer})
    def create(self, request: Request) -> Response:
        form = InstrumentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        slug = form.validated_data["project"]["slug"]
        project = Project.objects.visible_to(request.user).filter(slug=slug).first()
        if project is None:
            raise ValidationError({"project": [f"There is no project “{slug}”."]})
        self._managing(project)
        with as_http():
            instrument = services.add_instrument(
                project=project,
                name=form.validated_data["name"].strip(),
                model=form.validated_data.get("model", ""),
                location=form.validated_data.get("location", ""),
            )
        return Response(InstrumentSerializer(instrument).data, status=201)

    @extend_schema(methods=["GET"], responses=InstrumentTokenSerializer(many=True))
    @extend_schema(
        methods=["POST"], request=InstrumentTokenSerializer, responses={201: NewInstrumentTokenSerializer}
    )
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def tokens(self, request: Request, pk: str) -> Response:
        """GET: which tokens there are. POST: a new one, shown once."""
        instrument = self.get_object()
        self._managing(instrument.project)
        if request.method == "GET":
            alive = instrument.account.auth_token_set.filter(expiry__gt=timezone.now()).order_by("created")
            return Response([_described(token) for token in alive])
        form = InstrumentTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with as_http():
            row, token = services.issue_token(instrument.account, **form.validated_data)
        return Response({**_described(row), "token": token}, status=201)

    @extend_schema(
        parameters=[OpenApiParameter("key", str, OpenApiParameter.PATH)],
        responses={204: OpenApiResponse(description="Revoked: it opens nothing any more")},
    )
    @action(detail=True, methods=["delete"], url_path=r"tokens/(?P<key>[0-9a-f]+)", filter_backends=[])
    def revoke(self, request: Request, pk: str, key: str) -> Response:
        instrument = self.get_object()
        self._managing(instrument.project)
        revoked, _ = AuthToken.objects.filter(user=instrument.account, token_key=key).delete()
        if not revoked:
            raise NotFound("This instrument has no such token.")
        return Response(status=204)

    def _managing(self, project: Project) -> None:
        if not Project.objects.with_role(self.request.user, Role.MANAGER).filter(pk=project.pk).exists():
            raise PermissionDenied(f"Only a manager of {project} may do this.")


def _described(token: Any) -> dict[str, Any]:
    return {"key": token.token_key, "created": token.created, "expiry": token.expiry}
