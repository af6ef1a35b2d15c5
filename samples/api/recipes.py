"""Recipes over REST: read them, write the next version, tell two apart, carry one out."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from samples.ancestry import planned_steps
from samples.api.sentences import in_sentences, must_write
from samples.incoming import row_number
from samples.models import Component, Material, Milling, Project, Recipe, Sample, Sintering
from samples.pagination import NewestFirst
from samples.programmes import programme_min
from samples.services import recipes
from samples.step_kinds import as_written

STEPS = ("milling_steps", "sintering_steps__segments", "quench_steps", "otherstep_steps")
LARGEST_ID = 2**62


class ComponentSerializer(serializers.ModelSerializer):
    """`fraction` is of the recipe's basis, as it was written; `mass_fraction` follows from it."""

    material = serializers.SlugRelatedField(slug_field="name", read_only=True)
    fraction = serializers.SerializerMethodField()

    class Meta:
        model = Component
        fields = ["material", "fraction", "mass_fraction"]

    def get_fraction(self, row: Component) -> float:
        return row.mass_fraction if row.stated_fraction is None else row.stated_fraction


class RecipeSerializer(serializers.ModelSerializer):
    """`steps` are as `POST` takes them; `derived` holds, step by step, what follows from their numbers."""

    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    basis = serializers.SerializerMethodField()
    components = ComponentSerializer(many=True, read_only=True)
    steps = serializers.SerializerMethodField()
    derived = serializers.SerializerMethodField()

    class Meta:
        model = Recipe
        fields = [
            "id", "project", "name", "version", "derived_from", "created_at", "frozen_at", "notes",
            "basis", "components", "steps", "derived",
        ]  # fmt: skip

    def get_basis(self, row: Recipe) -> str:
        return next((component.basis for component in row.components.all()), recipes.MASS)

    def get_steps(self, row: Recipe) -> list[dict[str, Any]]:
        return [as_written(step) for step in planned_steps(row)]

    def get_derived(self, row: Recipe) -> list[dict[str, Any]]:
        return [_derived(step) for step in planned_steps(row)]


def _derived(step: Any) -> dict[str, Any]:
    if isinstance(step, Milling):
        return {"ball_to_powder_ratio": step.ball_to_powder_ratio}
    if isinstance(step, Sintering):
        return {"programme_min": programme_min(list(step.segments.all())), "peak_c": step.peak_c()}
    return {}


class RecipeShareSerializer(serializers.Serializer):
    material = serializers.CharField(max_length=120, help_text="Name of a material of the project.")
    fraction = serializers.FloatField(help_text="0 to 1, of the basis.")


class WriteRecipeSerializer(serializers.Serializer):
    project = serializers.SlugField(help_text="Slug of the project.")
    name = serializers.CharField(max_length=160, help_text="The same name again is the next version.")
    basis = serializers.ChoiceField(choices=Component.Basis.choices, default="mass")
    components = RecipeShareSerializer(many=True, help_text="None for steps alone.")
    steps = serializers.ListField(
        child=serializers.DictField(),
        default=list,
        help_text='Such as {"kind": "milling", "rpm": 800, "duration_min": 60}, in order.',
    )
    notes = serializers.CharField(default="", allow_blank=True, max_length=20_000)
    derived_from = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LARGEST_ID, help_text="The earlier recipe."
    )


class RecipeChangeSerializer(serializers.Serializer):
    """Named parts: `what` is a component, step or segment; `field` is empty when all of it came or went."""

    how = serializers.ChoiceField(choices=["added", "removed", "changed"])
    what = serializers.CharField()
    field = serializers.CharField()
    label = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    unit = serializers.CharField()


class PrepareRecipeSerializer(serializers.Serializer):
    code = serializers.CharField(default="", allow_blank=True, max_length=40, help_text="Empty: drawn.")
    batch_mass_g = serializers.FloatField(required=False, allow_null=True)


class PreparedSampleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Sample
        fields = ["id", "code", "notation", "state", "planned", "preparation"]


class RecipeFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")
    name = django_filters.CharFilter(field_name="name")
    project = django_filters.CharFilter(field_name="project__slug")

    class Meta:
        model = Recipe
        fields: ClassVar[list[str]] = []


class RecipeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Recipes of your projects, newest first."""

    serializer_class = RecipeSerializer
    filterset_class = RecipeFilter
    pagination_class = NewestFirst
    queryset = Recipe.objects.none()
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Recipe]:
        components = Component.objects.select_related("material")
        return (
            Recipe.objects.visible_to(self.request.user)
            .select_related("project")
            .prefetch_related(Prefetch("components", queryset=components), *STEPS)
        )

    @extend_schema(request=WriteRecipeSerializer, responses={201: RecipeSerializer})
    def create(self, request: Request) -> Response:
        """Write a recipe, or the next version of the one with that name."""
        form = WriteRecipeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        project = _project(request.user, said["project"])
        with in_sentences():
            row = recipes.save_recipe(
                user=request.user,
                project=project,
                name=said["name"],
                basis=said["basis"],
                components=_shares(project, said["components"]),
                steps=said["steps"],
                notes=said["notes"],
                derived_from=_earlier(request.user, said.get("derived_from")),
            )
        return Response(RecipeSerializer(self.get_queryset().get(pk=row.pk)).data, status=201)

    @extend_schema(
        responses=RecipeChangeSerializer(many=True),
        parameters=[OpenApiParameter("to", int, required=True, description="The other recipe.")],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def diff(self, request: Request, pk: str) -> Response:
        """What changes from this recipe to another: components, steps and segments, with units."""
        before = self.get_object()
        asked = row_number(request.query_params.get("to", ""))
        if asked is None:
            raise exceptions.ValidationError({"to": ["Give the number of the other recipe: ?to=12."]})
        after = self.get_queryset().filter(pk=asked).first()
        if after is None:
            raise exceptions.NotFound("There is no such recipe among yours to compare with.")
        return Response([_change(change) for change in recipes.diff(before, after)])

    @extend_schema(request=PrepareRecipeSerializer, responses={201: PreparedSampleSerializer})
    @action(detail=True, methods=["post"])
    def prepare(self, request: Request, pk: str) -> Response:
        """Plan to carry it out: a preparation and its sample. The recipe is frozen by it."""
        row = self.get_object()
        must_write(request.user, row.project_id)
        form = PrepareRecipeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with in_sentences():
            sample = recipes.prepare(user=request.user, recipe=row, **form.validated_data)
        return Response(PreparedSampleSerializer(sample).data, status=201)


def _change(change: recipes.Change) -> dict[str, Any]:
    return {
        "how": change.how,
        "what": change.what,
        "field": change.field,
        "label": change.label,
        "before": change.before,
        "after": change.after,
        "unit": change.unit,
    }


def _project(user: Any, slug: str) -> Project:
    found = Project.objects.visible_to(user).filter(slug=slug).first()
    if found is None:
        raise exceptions.ValidationError({"project": [f"There is no project “{slug[:60]}” among yours."]})
    must_write(user, found.pk)
    return found


def _shares(project: Project, written: list[dict[str, Any]]) -> list[tuple[Material, float]]:
    by_name = {material.name: material for material in project.materials.all()}
    unknown = [share["material"] for share in written if share["material"] not in by_name]
    if unknown:
        raise exceptions.ValidationError(
            {"components": [f"There is no material “{unknown[0][:60]}” in {project.name}; add it first."]}
        )
    return [(by_name[share["material"]], share["fraction"]) for share in written]


def _earlier(user: Any, pk: int | None) -> Recipe | None:
    if pk is None:
        return None
    found = Recipe.objects.visible_to(user).filter(pk=pk).first()
    if found is None:
        raise exceptions.ValidationError({"derived_from": ["There is no such recipe among yours."]})
    return found
