"""Samples over REST: who you are, which projects, which samples with which processing."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.contrib.auth.signals import user_logged_in
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field, inline_serializer
from knox.models import get_token_model
from rest_framework import serializers, viewsets
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from samples.models import Membership, ProcessFactors, Project, Sample
from samples.pagination import ByCode, ByName

FACTORS = [f for f in ProcessFactors._meta.fields if f.name not in ("sample", "derived_at")]
NUMERIC_FACTORS = [f.name for f in FACTORS if f.get_internal_type() == "FloatField"]
TEXT_FACTORS = [f.name for f in FACTORS if f.get_internal_type() == "CharField"]


class LoginView(APIView):
    """Basic credentials in, a token out. Send it as `Authorization: Token …` afterwards."""

    authentication_classes: ClassVar = [BasicAuthentication]
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(
        request=None,
        responses=inline_serializer(
            "Token", {"token": serializers.CharField(), "expiry": serializers.DateTimeField()}
        ),
        operation_id="auth_login",
    )
    def post(self, request: Request) -> Response:
        instance, token = get_token_model().objects.create(request.user)
        user_logged_in.send(sender=type(request.user), request=request, user=request.user)
        return Response({"token": token, "expiry": instance.expiry})


class LogoutView(APIView):
    """Revokes the token that asks."""

    @extend_schema(
        request=None, responses={204: OpenApiResponse(description="Revoked")}, operation_id="auth_logout"
    )
    def post(self, request: Request) -> Response:
        if request.auth is not None:
            request.auth.delete()
        return Response(status=204)


class ProjectSerializer(serializers.ModelSerializer):
    role = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = ["slug", "name", "description", "role"]

    def get_role(self, project: Project) -> str:
        return project.my_roles[0].get_role_display().lower()


class ProjectViewSet(viewsets.ReadOnlyModelViewSet):
    """The projects that you are a member of."""

    serializer_class = ProjectSerializer
    pagination_class = ByName
    queryset = Project.objects.none()
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Project]:
        mine = Membership.objects.filter(user=self.request.user)
        return Project.objects.visible_to(self.request.user).prefetch_related(
            Prefetch("memberships", queryset=mine, to_attr="my_roles")
        )


class FactorsSerializer(serializers.ModelSerializer):
    """Processing as derived from the whole ancestry; null or empty where it is not recorded."""

    class Meta:
        model = ProcessFactors
        fields = [f.name for f in FACTORS]


class SampleSerializer(serializers.ModelSerializer):
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    factors = serializers.SerializerMethodField()

    class Meta:
        model = Sample
        fields = [
            "id", "code", "name", "notation", "project", "state",
            "planned", "made_at", "amount_g", "location", "factors",
        ]  # fmt: skip

    @extend_schema_field(FactorsSerializer(allow_null=True))
    def get_factors(self, sample: Sample) -> dict[str, Any] | None:
        factors = getattr(sample, "factors", None)
        return {name: getattr(factors, name) for name in (f.name for f in FACTORS)} if factors else None


class SampleFilter(django_filters.FilterSet):
    """`?search=&project=&code=&state=` and `?<factor>=`, `?<factor>__gte=`, `?<factor>__lte=`."""

    search = django_filters.CharFilter(method="by_words", label="Words in code, name or notation")
    project = django_filters.CharFilter(field_name="project__slug")
    code = django_filters.CharFilter(field_name="code")
    state = django_filters.ChoiceFilter(choices=Sample.State.choices)
    planned = django_filters.BooleanFilter()

    class Meta:
        model = Sample
        fields: ClassVar[list[str]] = []

    def by_words(self, samples: Any, name: str, value: str) -> Any:
        return samples.search(value)


for factor in NUMERIC_FACTORS:
    for lookup in ("exact", "gte", "lte"):
        key = factor if lookup == "exact" else f"{factor}__{lookup}"
        SampleFilter.base_filters[key] = django_filters.NumberFilter(f"factors__{factor}", lookup_expr=lookup)
for factor in TEXT_FACTORS:
    SampleFilter.base_filters[factor] = django_filters.CharFilter(f"factors__{factor}")


class SampleViewSet(viewsets.ReadOnlyModelViewSet):
    """Samples of your projects, with their process factors."""

    serializer_class = SampleSerializer
    filterset_class = SampleFilter
    pagination_class = ByCode
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    queryset = Sample.objects.none()

    def get_queryset(self) -> QuerySet[Sample]:
        return Sample.objects.visible_to(self.request.user).for_list()
