"""A token for a script: who you are."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from knox.models import get_token_model
from rest_framework import serializers
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


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
