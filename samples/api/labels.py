"""Labels over REST: PDF for sheets, ZPL for thermal printers."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from samples.identity import IdentityError, codes_in
from samples.labels import ROLLS, SHEETS, LabelError
from samples.models import Design, Sample
from samples.services import codes, labelling


class LabelsView(APIView):
    """Labels of samples, named by their codes or by their design."""

    @extend_schema(
        operation_id="labels",
        parameters=[
            OpenApiParameter("codes", description="Codes with anything between them."),
            OpenApiParameter("design", int, description="Instead of codes: all samples of a design."),
            OpenApiParameter("as", enum=["pdf", "zpl"], description="pdf when left out."),
            OpenApiParameter("sheet", enum=list(SHEETS), description="For pdf."),
            OpenApiParameter("start", int, description="First unused place of the sheet, from 1."),
            OpenApiParameter("roll", enum=list(ROLLS), description="For zpl."),
        ],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "text/plain"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        asked = request.query_params
        try:
            samples = self._samples(request)
            return labelling.label_file(
                samples,
                lambda code: request.build_absolute_uri(f"/s/{code}"),
                kind=asked.get("as", "pdf"),
                sheet=asked.get("sheet", ""),
                start=asked.get("start", ""),
                roll=asked.get("roll", ""),
            )
        except (IdentityError, LabelError) as error:
            raise serializers.ValidationError(str(error)) from error

    def _samples(self, request: Request) -> list[Sample]:
        design = request.query_params.get("design", "")
        if design:
            known = Design.objects.visible_to(request.user)
            if not (design.isdecimal() and design.isascii() and len(design) < 10):
                raise LabelError("A design is named by its number.")
            if not known.filter(pk=int(design)).exists():
                raise LabelError(f"There is no design {design} in your projects.")
            return labelling.samples_of_design(int(design), request.user)
        found = codes.find(codes_in(request.query_params.get("codes", "")), request.user)
        if found.missing:
            raise LabelError(found.missing[0][1])
        return found.samples
