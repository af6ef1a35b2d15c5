"""Materials, lots and places over REST."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from samples import supplies
from samples.api.sentences import in_sentences, must_write
from samples.models import Location, Lot, Material, Project, Sample
from samples.pagination import NewestFirst
from samples.services import materials, places

KEY = r"\d{1,18}"


def open_project(user: Any, slug: str) -> Project:
    """The project that the user names and may write to."""
    project = Project.objects.visible_to(user).filter(slug=slug).first()
    if project is None:
        raise exceptions.ValidationError({"project": [f"There is no project “{slug[:60]}” among yours."]})
    must_write(user, project.pk)
    return project


class MaterialSerializer(serializers.ModelSerializer):
    project = serializers.SlugField(source="project.slug")
    left_g = serializers.FloatField(read_only=True, allow_null=True, help_text="Of all bottles known.")
    unknown_bottles = serializers.IntegerField(read_only=True, help_text="Bottles with an unknown amount.")

    class Meta:
        model = Material
        fields = [
            "id", "project", "name", "kind", "formula", "molar_mass_g_per_mol", "density_g_per_cm3", "cas",
            "hazards", "minimum_stock_g", "linker_x_feed", "linker_x_product", "left_g", "unknown_bottles",
        ]  # fmt: skip
        read_only_fields: ClassVar = ["molar_mass_g_per_mol"]
        validators: ClassVar[list[object]] = []


class MaterialFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="by_words", label="Part of name, formula or CAS number")
    project = django_filters.CharFilter(field_name="project__slug")
    kind = django_filters.ChoiceFilter(choices=Material.Kind.choices)

    class Meta:
        model = Material
        fields: ClassVar[list[str]] = []

    def by_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(Q(name__icontains=value) | Q(formula__icontains=value) | Q(cas__icontains=value))


class MaterialViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet
):
    """The registry: substances as such. The molar mass follows from the formula."""

    queryset = Material.objects.none()
    serializer_class = MaterialSerializer
    filterset_class = MaterialFilter
    pagination_class = NewestFirst
    lookup_value_regex = KEY
    http_method_names: ClassVar = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Material]:
        user = self.request.user
        return supplies.with_stock(Material.objects.visible_to(user), user).select_related("project")

    def create(self, request: Request) -> Response:
        """Register a material."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = dict(form.validated_data)
        project = open_project(request.user, said.pop("project")["slug"])
        with in_sentences():
            row = materials.save_material(Material(project=project, **said))
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data, status=201)

    def perform_update(self, serializer: Any) -> None:
        row = serializer.instance
        must_write(self.request.user, row.project_id)
        said = dict(serializer.validated_data)
        if said.pop("project", {"slug": row.project.slug})["slug"] != row.project.slug:
            raise exceptions.ValidationError({"project": ["A material stays in its project."]})
        for name, content in said.items():
            setattr(row, name, content)
        with in_sentences():
            materials.save_material(row)


class LotSerializer(serializers.ModelSerializer):
    sample = serializers.CharField(source="sample.code", read_only=True)
    material = serializers.IntegerField(source="sample.material_id", read_only=True)
    amount_g = serializers.FloatField(source="sample.amount_g", read_only=True)
    mass_left_g = serializers.FloatField(source="sample.mass_left_g", read_only=True)
    place = serializers.CharField(source="sample.location", read_only=True)
    is_expired = serializers.SerializerMethodField()

    class Meta:
        model = Lot
        fields = [
            "sample", "material", "supplier", "catalogue_number", "lot_number", "purity", "received_on",
            "opened_on", "expires_on", "is_expired", "amount_g", "mass_left_g", "place",
        ]  # fmt: skip

    def get_is_expired(self, lot: Lot) -> bool:
        return supplies.is_expired(lot)


class NewLotSerializer(serializers.Serializer):
    """A bottle that came."""

    material = serializers.IntegerField(min_value=1, max_value=2**62)
    code = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="Empty: a new one."
    )
    name = serializers.CharField(required=False, allow_blank=True, max_length=160)
    state = serializers.ChoiceField(choices=Sample.State.choices, required=False)
    amount_g = serializers.FloatField(required=False, allow_null=True)
    place = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**62)
    supplier = serializers.CharField(required=False, allow_blank=True, max_length=120)
    catalogue_number = serializers.CharField(required=False, allow_blank=True, max_length=80)
    lot_number = serializers.CharField(required=False, allow_blank=True, max_length=80)
    purity = serializers.FloatField(
        required=False, allow_null=True, help_text="Mass fraction; 99.99 % is 0.9999."
    )
    received_on = serializers.DateField(required=False, allow_null=True)
    opened_on = serializers.DateField(required=False, allow_null=True)
    expires_on = serializers.DateField(required=False, allow_null=True)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class LotFilter(django_filters.FilterSet):
    project = django_filters.CharFilter(field_name="sample__project__slug")
    material = django_filters.NumberFilter(field_name="sample__material")
    expires_before = django_filters.DateFilter(field_name="expires_on", lookup_expr="lt")

    class Meta:
        model = Lot
        fields: ClassVar[list[str]] = []


class LotViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Bottles: samples with what their label and certificate say."""

    queryset = Lot.objects.none()
    serializer_class = LotSerializer
    filterset_class = LotFilter
    pagination_class = NewestFirst
    lookup_field = "sample__code"
    lookup_url_kwarg = "code"
    lookup_value_regex = "[^/]+"

    def get_queryset(self) -> QuerySet[Lot]:
        return Lot.objects.visible_to(self.request.user).select_related("sample__place")

    @extend_schema(request=NewLotSerializer, responses={201: LotSerializer})
    def create(self, request: Request) -> Response:
        """Receive a bottle: its sample and its lot at once."""
        form = NewLotSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = dict(form.validated_data)
        material = Material.objects.visible_to(request.user).filter(pk=said.pop("material")).first()
        if material is None:
            raise exceptions.ValidationError({"material": ["There is no such material; register it first."]})
        must_write(request.user, material.project_id)
        said["place"] = chosen_place(request.user, said.get("place"))
        with in_sentences():
            sample = materials.receive_lot(user=request.user, material=material, **said)
        return Response(LotSerializer(sample.lot).data, status=201)


def chosen_place(user: Any, key: int | None) -> Location | None:
    if key is None:
        return None
    place = Location.objects.visible_to(user).filter(pk=key).first()
    if place is None:
        raise exceptions.ValidationError({"place": ["There is no such place."]})
    return place


class LocationSerializer(serializers.ModelSerializer):
    project = serializers.SlugField(source="project.slug")

    class Meta:
        model = Location
        fields = ["id", "project", "kind", "name", "parent", "path"]
        read_only_fields: ClassVar = ["path"]
        validators: ClassVar[list[object]] = []


class LocationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Places: a room holds cabinets, a cabinet boxes, a box slots; a slot holds one thing."""

    queryset = Location.objects.none()
    serializer_class = LocationSerializer
    pagination_class = NewestFirst
    lookup_value_regex = KEY

    def get_queryset(self) -> QuerySet[Location]:
        return Location.objects.visible_to(self.request.user).select_related("project")

    def create(self, request: Request) -> Response:
        """A new place."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        project = open_project(request.user, said["project"]["slug"])
        parent = self._parent(said.get("parent"))
        with in_sentences():
            row = places.create_place(project=project, kind=said["kind"], name=said["name"], parent=parent)
        return Response(self.get_serializer(row).data, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename or move, with everything in it."""
        row = self.get_object()
        must_write(request.user, row.project_id)
        form = self.get_serializer(row, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        parent = self._parent(said.get("parent"))
        with in_sentences(), transaction.atomic():
            if "name" in said:
                places.rename_place(row, said["name"])
            if "parent" in said:
                places.move_place(row, parent)
        return Response(self.get_serializer(row).data)

    def _parent(self, parent: Location | None) -> Location | None:
        if parent is not None and not self.get_queryset().filter(pk=parent.pk).exists():
            raise exceptions.ValidationError({"parent": ["There is no such place."]})
        return parent
