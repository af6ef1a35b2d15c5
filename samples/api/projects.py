"""Projects over REST."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers, viewsets

from samples.api.people import ProjectPeople
from samples.models import Membership, Project
from samples.pagination import ByName


class ProjectSerializer(serializers.ModelSerializer):
    role = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = ["slug", "name", "description", "role"]

    def get_role(self, project: Project) -> str:
        return project.my_roles[0].get_role_display().lower()


class ProjectViewSet(ProjectPeople, viewsets.ReadOnlyModelViewSet):
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
