"""Correcting and voiding samples over REST. A reason goes with each."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from samples.models import Sample
from samples.services import correcting, voiding


class CorrectionSerializer(serializers.ModelSerializer):
    """Any of the columns, and why. A sample that is only planned needs no reason."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=correcting.LONGEST_REASON)

    class Meta:
        model = Sample
        fields = [*correcting.CORRECTABLE, "reason"]
        extra_kwargs = {name: {"required": False} for name in correcting.CORRECTABLE}


class VoidingSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=correcting.LONGEST_REASON)


class Corrections:
    """For the view set of samples."""

    @extend_schema(request=CorrectionSerializer)
    def partial_update(self: Any, request: Request, code: str) -> Response:
        """Correct what is written about a sample; of one that was made, with a `reason`."""
        sample = self.get_object()
        form = CorrectionSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        reason = changes.pop("reason", "")
        correcting.correct(sample, changes, user=request.user, reason=reason)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=VoidingSerializer)
    @action(detail=True, methods=["post"])
    def void(self: Any, request: Request, code: str) -> Response:
        """Take a sample out of lists, counts and figures. It stays at its address."""
        return self._set_void(request, voiding.void)

    @extend_schema(request=VoidingSerializer)
    @action(detail=True, methods=["post"])
    def unvoid(self: Any, request: Request, code: str) -> Response:
        """Bring a void sample back."""
        return self._set_void(request, voiding.unvoid)

    def _set_void(self: Any, request: Request, act: Any) -> Response:
        sample = self.get_object()
        form = VoidingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        act(sample, reason=form.validated_data["reason"], user=request.user)
        return Response(self.get_serializer(self.get_object()).data)
