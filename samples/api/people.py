"""Invitations to a project, its members, and links that show one sample, over REST."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from samples.models import Invitation, Membership, Project, Role, Sample, ShareLink
from samples.services import access

WORDS = {label.lower(): value for value, label in Role.choices}


class RoleField(serializers.ChoiceField):
    """`viewer`, `contributor` or `manager`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=list(WORDS), **kwargs)

    def to_representation(self, value: Any) -> Any:
        return Role(value).label.lower()

    def to_internal_value(self, data: Any) -> Any:
        return WORDS[super().to_internal_value(data)]


class MemberSerializer(serializers.ModelSerializer):
    user = serializers.CharField(source="user.username")
    role = RoleField()

    class Meta:
        model = Membership
        fields = ["user", "role", "since"]


class InvitationSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug", read_only=True)
    invited_by = serializers.CharField(source="invited_by.username", read_only=True)
    role = RoleField(default=Role.VIEWER)
    days = serializers.IntegerField(write_only=True, default=14, min_value=1, max_value=access.LONGEST_DAYS)

    class Meta:
        model = Invitation
        fields = [
            "id", "project", "email", "role", "invited_by",
            "created_at", "expires_at", "accepted_at", "revoked_at", "days",
        ]  # fmt: skip
        read_only_fields = ["expires_at", "accepted_at", "revoked_at"]


class NewInvitationSerializer(InvitationSerializer):
    """With its address, which is told this once."""

    url = serializers.CharField(read_only=True)

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "url"]


class ProjectPeople:
    """For the view set of projects."""

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def members(self: Any, request: Request, slug: str) -> Response:
        """Who is a member, and in which role."""
        rows = self.get_object().memberships.select_related("user").order_by("-role", "user__username")
        return Response(MemberSerializer(rows, many=True).data)

    @extend_schema(methods=["GET"], responses=InvitationSerializer(many=True))
    @extend_schema(methods=["POST"], request=InvitationSerializer, responses={201: NewInvitationSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def invitations(self: Any, request: Request, slug: str) -> Response:
        """Invite by e-mail address. The answer holds the address to pass on, and no later one does."""
        project = self.get_object()
        if request.method == "GET":
            rows = project.invitations.select_related("project", "invited_by")
            manages = Project.objects.with_role(request.user, Role.MANAGER).filter(pk=project.pk).exists()
            return Response(InvitationSerializer(rows if manages else rows.none(), many=True).data)
        form = InvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        row, token = access.invite(
            project=project,
            email=given["email"],
            role=given["role"],
            days=given["days"],
            user=request.user,
        )
        row.url = request.build_absolute_uri(reverse("invitation", args=[token]))
        return Response(NewInvitationSerializer(row).data, status=201)


class InvitationViewSet(mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Invitations to the projects that you manage."""

    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Invitation]:
        managed = Project.objects.with_role(self.request.user, Role.MANAGER)
        return Invitation.objects.filter(project__in=managed).select_related("project")

    def perform_destroy(self, row: Invitation) -> None:
        """Revoke it."""
        access.revoke_invitation(row, self.request.user)


class AcceptSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=200)


class AcceptView(APIView):
    """Join a project with the last part of an invitation's address."""

    @extend_schema(request=AcceptSerializer, responses=MemberSerializer, operation_id="invitations_accept")
    def post(self, request: Request) -> Response:
        form = AcceptSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(MemberSerializer(access.accept(form.validated_data["token"], request.user)).data)


class ShareLinkSerializer(serializers.ModelSerializer):
    sample = serializers.CharField(source="sample.code", read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    days = serializers.IntegerField(write_only=True, default=30, min_value=1, max_value=access.LONGEST_DAYS)

    class Meta:
        model = ShareLink
        fields = ["id", "sample", "note", "created_by", "created_at", "expires_at", "revoked_at", "days"]
        read_only_fields = ["expires_at", "revoked_at"]


class NewShareLinkSerializer(ShareLinkSerializer):
    """With its address, which is told this once."""

    url = serializers.CharField(read_only=True)

    class Meta(ShareLinkSerializer.Meta):
        fields = [*ShareLinkSerializer.Meta.fields, "url"]


class SampleSharing:
    """For the view set of samples."""

    @extend_schema(methods=["GET"], responses=ShareLinkSerializer(many=True))
    @extend_schema(methods=["POST"], request=ShareLinkSerializer, responses={201: NewShareLinkSerializer})
    @action(
        detail=True,
        methods=["get", "post"],
        url_path="share-links",
        pagination_class=None,
        filter_backends=[],
    )
    def share_links(self: Any, request: Request, code: str) -> Response:
        """Links that show this sample, read-only and without login, until they expire or are revoked."""
        sample: Sample = self.get_object()
        if request.method == "GET":
            rows = sample.share_links.select_related("sample", "created_by")
            return Response(ShareLinkSerializer(rows, many=True).data)
        form = ShareLinkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        row, token = access.share(
            sample=sample, user=request.user, days=given["days"], note=given.get("note", "")
        )
        row.url = request.build_absolute_uri(reverse("shared", args=[token]))
        return Response(NewShareLinkSerializer(row).data, status=201)


class ShareLinkViewSet(mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Links to samples that you see."""

    queryset = ShareLink.objects.none()
    serializer_class = ShareLinkSerializer
    lookup_value_regex = r"\d{1,18}"
    http_method_names: ClassVar = ["delete", "options"]

    def get_queryset(self) -> QuerySet[ShareLink]:
        return ShareLink.objects.visible_to(self.request.user).select_related("sample")

    @extend_schema(responses={204: OpenApiResponse(description="Revoked")})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revoke it."""
        access.revoke_link(self.get_object(), request.user)
        return Response(status=204)
