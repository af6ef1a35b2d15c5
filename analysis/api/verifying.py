from __future__ import annotations

from django.core.exceptions import ValidationError as ModelError
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.models import Run
from analysis.services.verifying import verifications, verify


class VerificationSerializer(serializers.Serializer):
    """`same` is true or false once it is done, and null while it waits or where it could not be repeated."""

    id = serializers.IntegerField(help_text="Of the run that repeats")
    status = serializers.CharField()
    same = serializers.BooleanField(allow_null=True)
    verdict = serializers.CharField(help_text="In words: the same bit for bit, or what differs and why")
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    host = serializers.CharField()
    libraries = serializers.DictField()
    differences = serializers.ListField(child=serializers.DictField())


class VerifyView(APIView):
    """Whether a run gives the same numbers again."""

    @extend_schema(responses={200: VerificationSerializer(many=True)}, operation_id="runs_verify_list")
    def get(self, request: Request, pk: int) -> Response:
        """All verifications of it, newest first."""
        run = self._run(request, pk)
        return Response(VerificationSerializer(verifications([run])[run.pk], many=True).data)

    @extend_schema(request=None, responses={202: VerificationSerializer}, operation_id="runs_verify_create")
    def post(self, request: Request, pk: int) -> Response:
        """Compute it once more with the same method version, parameters and inputs, and compare bit for bit.
        It changes no value."""
        run = self._run(request, pk)
        try:
            again = verify(run, request.user)
        except ModelError as error:
            raise ValidationError({"run": error.messages}) from None
        told = next(row for row in verifications([run])[run.pk] if row["id"] == again.pk)
        return Response(VerificationSerializer(told).data, status=202)

    def _run(self, request: Request, pk: int) -> Run:
        run = Run.objects.visible_to(request.user).filter(pk=pk).first()
        if run is None:
            raise Http404
        return run
