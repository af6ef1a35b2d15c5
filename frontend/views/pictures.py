"""Photographs as their cameras made them: the figure beside them shows brightness alone."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from frontend.access import login_required
from measurements.models import Dataset, RawFile
from measurements.store import StoreError, store

# What a browser draws and never runs; everything else only leaves as an attachment.
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
HEAD_BYTES = 8
LARGEST_BYTES = 64 * 1024**2
FORMATS = ("JPEG", "MPO", "PNG", "GIF")
COLOURLESS = ("L", "LA", "1", "I", "I;16", "F")


@require_safe
@login_required
def picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    row = get_object_or_404(RawFile.objects.visible_to(request.user).select_related("blob"), pk=pk)
    if row.blob.size > LARGEST_BYTES:
        raise Http404("It is too large to be shown in a page; download it.")
    try:
        file = store().open(row.blob.sha256)
        head = file.read(HEAD_BYTES)
        file.seek(0)
    except StoreError as error:
        return HttpResponse(str(error), status=500, content_type="text/plain; charset=utf-8")
    kind = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), None)
    if kind is None:
        file.close()
        raise Http404("It is no photograph that a browser shows.")
    response = FileResponse(file, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def in_colour(datasets: Sequence[Dataset]) -> list[int]:
    """Keys of the raw files that are photographs with colours."""
    return [row.file_id for row in datasets if row.file_id and _is_coloured(row)]


def _is_coloured(row: Dataset) -> bool:
    kind, _, mode = str(row.header.get("format", "")).partition(" ")
    return row.reader == "picture" and kind in FORMATS and mode not in COLOURLESS
