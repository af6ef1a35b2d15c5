"""The history of a thing over REST: who, when, from where, why, and what changed."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from samples.history import NOUNS, history_of


class HistoryChangeSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="As in the interface.")
    label = serializers.CharField()
    unit = serializers.CharField()
    before = serializers.SerializerMethodField(help_text="null: not recorded")
    after = serializers.SerializerMethodField(help_text="null: not recorded")

    @extend_schema_field(OpenApiTypes.ANY)
    def get_before(self, change: Any) -> Any:
        return change.before

    @extend_schema_field(OpenApiTypes.ANY)
    def get_after(self, change: Any) -> Any:
        return change.after


class HistoryEntrySerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    action = serializers.ChoiceField(["insert", "update", "delete"])
    kind = serializers.CharField(help_text="What kind of thing: sample, ingredient, milling, membership …")
    of = serializers.CharField(help_text="Which of several, where a name tells.")
    by = serializers.CharField(allow_null=True, help_text="null: nobody was logged in, such as in a task.")
    via = serializers.CharField(help_text="The request, task or command.")
    reason = serializers.CharField()
    changes = HistoryChangeSerializer(many=True)


class HistorySerializer(serializers.Serializer):
    results = HistoryEntrySerializer(many=True)


class HistoryView(APIView):
    """Newest first, from the audit trail that triggers write: a script's raw UPDATE is in it too."""

    noun = ""

    @extend_schema(
        parameters=[OpenApiParameter("key", str, OpenApiParameter.PATH)], responses=HistorySerializer
    )
    def get(self, request: Request, key: str) -> Response:
        thing = named(self.noun, key, request.user)
        return Response(HistorySerializer({"results": history_of(thing, request.user)}).data)


def named(noun: str, key: str, user: Any) -> Any:
    """The thing of that name if `user` may see it; raises Http404."""
    model, name, kind = NOUNS[noun]
    rows = model._default_manager.all()
    is_number = key.isascii() and key.isdigit() and len(key) < 19
    if kind is int and not is_number:
        rows = rows.none()
        return get_object_or_404(rows)
    return get_object_or_404(rows.visible_to(user), **{name: kind(key)})
