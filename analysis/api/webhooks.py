"""Webhooks of the projects that one manages, and what became of their messages, over REST."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import services
from analysis.models import Delivery, Webhook
from analysis.services.webhooks import EVENTS, renew_secret, send_again, switch
from samples.models import Project, Role

SHOWN = 100


class EventsField(serializers.ListField):
    child = serializers.ChoiceField(choices=list(EVENTS.items()))


class ProjectField(serializers.SlugRelatedField):
    """What is no slug is no project, and is not asked of the database: it knows no NUL."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not re.fullmatch(r"[-\w]{1,60}", data, re.ASCII):
            self.fail("does_not_exist", slug_name=self.slug_field, value=str(data)[:60].replace("\0", "�"))
        return super().to_internal_value(data)


class WebhookSerializer(serializers.ModelSerializer):
    project = ProjectField(slug_field="slug", queryset=Project.objects.none())
    url = serializers.CharField(max_length=500, help_text="https; http where an operator allows the host.")
    events = EventsField(required=False, help_text="Empty: all of them.")
    made_by = serializers.CharField(source="made_by.username", read_only=True)

    class Meta:
        model = Webhook
        fields = ["id", "project", "url", "events", "enabled", "resting_until", "made_by", "made_at"]
        read_only_fields = ["enabled", "resting_until", "made_at"]

    def get_fields(self) -> Any:
        fields = super().get_fields()
        request = self.context.get("request")
        if request is not None:
            fields["project"].queryset = Project.objects.visible_to(request.user)
        return fields


class NewWebhookSerializer(WebhookSerializer):
    """With its secret, which is told this once."""

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = [*WebhookSerializer.Meta.read_only_fields, "secret"]


class WebhookChangeSerializer(serializers.Serializer):
    enabled = serializers.BooleanField(required=False)
    events = EventsField(required=False)


class DeliverySerializer(serializers.ModelSerializer):
    class Meta:
        model = Delivery
        fields = ["id", "event", "state", "attempts", "made_at", "tried_at", "not_before", "answer", "body"]
        read_only_fields = fields


class WebhookViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Addresses that are told of results, of the projects that you manage."""

    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    lookup_value_regex = r"\d{1,18}"
    http_method_names: ClassVar = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[Webhook]:
        return Webhook.objects.visible_to(self.request.user).select_related("project", "made_by")

    @extend_schema(request=WebhookSerializer, responses={201: NewWebhookSerializer})
    def create(self, request: Request) -> Response:
        """The answer holds the secret with which messages are signed, and no later one does."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        project = asked["project"]
        if not Project.objects.with_role(request.user, Role.MANAGER).filter(pk=project.pk).exists():
            raise PermissionDenied("Only a manager of the project may add webhooks to it.")
        made = services.add_webhook(
            project=project, user=request.user, url=asked["url"], events=asked.get("events", ())
        )
        return Response(NewWebhookSerializer(made, context={"request": request}).data, status=201)

    @extend_schema(request=WebhookChangeSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Switch it off or on, or choose other events. For another address, make another webhook."""
        hook = self.get_object()
        form = WebhookChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if "events" in form.validated_data:
            hook.events = sorted(set(form.validated_data["events"]))
            hook.save(update_fields=["events"])
        if "enabled" in form.validated_data:
            switch(hook, on=form.validated_data["enabled"])
        return Response(self.get_serializer(hook).data)

    @extend_schema(request=None, responses=NewWebhookSerializer)
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def secret(self, request: Request, pk: str) -> Response:
        """A new secret, told this once; the old one signs nothing any more."""
        hook = renew_secret(self.get_object())
        return Response(NewWebhookSerializer(hook, context={"request": request}).data)

    @extend_schema(responses=DeliverySerializer(many=True))
    @action(detail=True, filter_backends=[], pagination_class=None)
    def deliveries(self, request: Request, pk: str) -> Response:
        """Its last hundred messages, the newest first, and what was answered to them."""
        rows = self.get_object().deliveries.all()[:SHOWN]
        return Response(DeliverySerializer(rows, many=True).data)

    @extend_schema(
        request=None,
        responses={202: DeliverySerializer},
        parameters=[OpenApiParameter("delivery", int, OpenApiParameter.PATH)],
    )
    @action(
        detail=True,
        methods=["post"],
        url_path=r"deliveries/(?P<delivery>\d{1,18})/again",
        filter_backends=[],
        pagination_class=None,
    )
    def again(self, request: Request, pk: str, delivery: str) -> Response:
        """Send a message once more, under the `id` that it had."""
        row = get_object_or_404(self.get_object().deliveries.select_related("webhook"), pk=delivery)
        if not row.webhook.enabled:
            raise ValidationError({"enabled": "The webhook is switched off."})
        return Response(DeliverySerializer(send_again(row)).data, status=202)
