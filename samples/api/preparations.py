"""Preparations over REST: what was planned, what was really done, and recording it."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from samples.api.run_sheets import (
    AddStepSerializer,
    FinishSerializer,
    PerformSerializer,
    PoolSerializer,
    PreparationSerializer,
    SheetSerializer,
    SplitSerializer,
    WeighSerializer,
)
from samples.api.sentences import ReasonSerializer, in_sentences, must_write, visible_sample
from samples.models import Preparation, Project
from samples.pagination import NewestFirst
from samples.services import performing
from samples.services.performing import Part, Portion

STEPS = tuple(f"{kind}_steps__planned" for kind in ("milling", "quench", "otherstep"))
WHOLE = (
    *STEPS,
    "sintering_steps__segments",
    "sintering_steps__planned__segments",
    *(f"recipe__{kind}_steps" for kind in ("milling", "quench", "otherstep")),
    "recipe__sintering_steps__segments",
    "ingredients__sample__material",
    "ingredients__material",
)
KEY = OpenApiParameter("key", str, OpenApiParameter.PATH, description="Such as sintering-2.")
INGREDIENT = OpenApiParameter("ingredient", int, OpenApiParameter.PATH)


class PreparationFilter(django_filters.FilterSet):
    project = django_filters.CharFilter(field_name="project__slug", label="Slug of the project")
    sample = django_filters.CharFilter(field_name="samples__code", label="Code of one of its samples")
    recipe = django_filters.NumberFilter(field_name="recipe_id")
    design = django_filters.NumberFilter(field_name="design_id")

    class Meta:
        model = Preparation
        fields: ClassVar[list[str]] = []


class PreparationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Recipes carried out, in your projects."""

    queryset = Preparation.objects.none()
    serializer_class = PreparationSerializer
    filterset_class = PreparationFilter
    pagination_class = NewestFirst
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Preparation]:
        rows = Preparation.objects.visible_to(self.request.user).select_related("project", "recipe")
        rows = rows.prefetch_related("samples")
        return rows if self.action == "list" else rows.prefetch_related(*WHOLE)

    @extend_schema(responses=SheetSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._sheet()

    @extend_schema(
        request=AddStepSerializer, responses={201: SheetSerializer}, operation_id="preparations_steps_add"
    )
    @action(detail=True, methods=["post"])
    def steps(self, request: Request, pk: str) -> Response:
        """Record a step that nobody planned."""
        row, said = self._writable(AddStepSerializer)
        with in_sentences():
            performing.add_step(
                user=request.user,
                preparation=row,
                kind=said["kind"],
                said=said.get("as_run", {}),
                at=said.get("performed_at", timezone.now()),
                notes=said.get("notes", ""),
            )
        return self._sheet(201)

    @extend_schema(
        request=PerformSerializer,
        responses=SheetSerializer,
        parameters=[KEY],
        operation_id="preparations_steps_perform",
    )
    @action(detail=True, methods=["post"], url_path=r"steps/(?P<key>[a-z]+-\d{1,5})")
    def perform(self, request: Request, pk: str, key: str) -> Response:
        """Record a planned step as it was done, or correct its record."""
        row, said = self._writable(PerformSerializer)
        with in_sentences():
            performing.perform(
                user=request.user,
                preparation=row,
                key=key,
                said=said.get("as_run", {}),
                at=said.get("performed_at", timezone.now()),
                notes=said.get("notes", ""),
                reason=said.get("reason", ""),
            )
        return self._sheet()

    @extend_schema(request=ReasonSerializer, responses=SheetSerializer, parameters=[KEY])
    @action(detail=True, methods=["post"], url_path=r"steps/(?P<key>[a-z]+-\d{1,5})/undo")
    def undo(self, request: Request, pk: str, key: str) -> Response:
        """Take the record of a step back."""
        row, said = self._writable(ReasonSerializer)
        with in_sentences():
            performing.undo(user=request.user, preparation=row, key=key, reason=said["reason"])
        return self._sheet()

    @extend_schema(request=WeighSerializer, responses=SheetSerializer, parameters=[INGREDIENT])
    @action(detail=True, methods=["post"], url_path=r"ingredients/(?P<ingredient>\d{1,18})")
    def weigh(self, request: Request, pk: str, ingredient: str) -> Response:
        """Record a weigh-out. 400 when the lot has less than that."""
        row, said = self._writable(WeighSerializer)
        weighed = get_object_or_404(row.ingredients, pk=ingredient)
        lot = visible_sample(request.user, said["sample"]) if said.get("sample") else None
        with in_sentences():
            performing.weigh(
                user=request.user,
                ingredient=weighed,
                mass_g=said["mass_g"],
                sigma_g=said.get("mass_sigma_g"),
                sample=lot,
                at=said.get("weighed_at"),
                reason=said.get("reason", ""),
            )
        return self._sheet()

    @extend_schema(request=ReasonSerializer, responses=SheetSerializer, parameters=[INGREDIENT])
    @action(detail=True, methods=["post"], url_path=r"ingredients/(?P<ingredient>\d{1,18})/take-back")
    def take_back(self, request: Request, pk: str, ingredient: str) -> Response:
        """Undo a weigh-out: its grams return."""
        row, said = self._writable(ReasonSerializer)
        weighed = get_object_or_404(row.ingredients, pk=ingredient)
        with in_sentences():
            performing.take_back(user=request.user, ingredient=weighed, reason=said["reason"])
        return self._sheet()

    @extend_schema(request=FinishSerializer, responses=SheetSerializer)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, pk: str) -> Response:
        """Its samples are made."""
        row, said = self._writable(FinishSerializer)
        with in_sentences():
            performing.finish(
                user=request.user,
                preparation=row,
                at=said.get("performed_at", timezone.now()),
                amounts_g=said.get("amounts_g"),
                left_out=said["left_out"],
            )
        return self._sheet()

    @extend_schema(request=SplitSerializer, responses={201: SheetSerializer})
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: str) -> Response:
        """More samples from one preparation."""
        row, said = self._writable(SplitSerializer)
        with in_sentences():
            performing.split(
                user=request.user, preparation=row, portions=[Portion(**p) for p in said["portions"]]
            )
        return self._sheet(201)

    @extend_schema(request=PoolSerializer, responses={201: PreparationSerializer})
    @action(detail=False, methods=["post"])
    def pool(self, request: Request) -> Response:
        """One sample from several: their grams are taken."""
        form = PoolSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        parts = [
            Part(visible_sample(request.user, part["sample"]), part.get("mass_g"), part.get("mass_sigma_g"))
            for part in said["parts"]
        ]
        project: Project = parts[0].sample.project
        must_write(request.user, project.pk)
        with in_sentences():
            sample = performing.pool(
                user=request.user,
                project=project,
                parts=parts,
                code=said.get("code", ""),
                name=said.get("name", ""),
                state=said["state"],
                at=said.get("mixed_at", timezone.now()),
                amount_g=said.get("amount_g"),
                notes=said.get("notes", ""),
            )
        return Response(PreparationSerializer(sample.preparation).data, status=201)

    def _writable(self, form_class: type[serializers.Serializer]) -> tuple[Preparation, dict[str, Any]]:
        row = self.get_object()
        must_write(self.request.user, row.project_id)
        form = form_class(data=self.request.data)
        form.is_valid(raise_exception=True)
        return row, form.validated_data

    def _sheet(self, status: int = 200) -> Response:
        row = self.get_object()
        hidden = performing.hidden_sources(row, self.request.user)
        return Response(SheetSerializer(row, context={"hidden": hidden}).data, status=status)
