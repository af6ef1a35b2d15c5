"""Many files by a manifest, on pages: check it, hand in the files, record what is right."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from frontend.access import login_required, must_write
from frontend.keyset import page
from frontend.scope import narrowed, scope
from measurements.api.batches import template_file
from measurements.models import Batch
from measurements.services import RefusedError, batches
from measurements.services.batches import FileError, Plan
from measurements.store import Pending, StoreError, store
from samples.incoming import row_number
from samples.models import Project

ROWS_SHOWN = 100
WORDS = {
    "error": ("wrong", "bad"),
    "missing": ("waits for its file", "caution"),
    "warning": ("look at it", "caution"),
    "ok": ("can be recorded", ""),
    "inbox": ("in the inbox", "caution"),
    "done": ("recorded", "good"),
}


@login_required
def batch_list(request: HttpRequest) -> HttpResponse:
    projects = scope(request).writable()
    if request.method == "POST":
        return _begin(request, projects)
    return _listed(request, projects)


def _begin(request: HttpRequest, projects: list[Project]) -> HttpResponse:
    project = get_object_or_404(
        Project.objects.visible_to(request.user), slug=request.POST.get("project", "")[:60]
    )
    must_write(request, project.pk)
    manifest = request.FILES.get("manifest")
    if manifest is None:
        return _listed(request, projects, "Choose the manifest: a CSV or XLSX, or a zip that holds one.")
    upload = _pending(manifest)
    try:
        batch = batches.open_batch(
            user=request.user,
            project=project,
            name=manifest.name or "manifest",
            upload=upload,
            zone=timezone.get_current_timezone(),
        )
        for file in request.FILES.getlist("file"):
            batches.add_file(batch, file.name or "unnamed", _pending(file))
    except (FileError, RefusedError, StoreError, PermissionDenied) as error:
        return _listed(request, projects, str(error))
    finally:
        upload.discard()
    return redirect(batch)


def _listed(request: HttpRequest, projects: list[Project], problem: str = "") -> HttpResponse:
    found = page(
        narrowed(Batch.objects.all(), request).select_related("project"),
        "id",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=20,
    )
    context = {
        "page": found,
        "projects": projects,
        "chosen": scope(request).project,
        "problem": problem,
        "columns": batches.COLUMNS.values(),
        "most_rows": batches.MOST_ROWS,
    }
    return render(request, "batches/list.html", context, status=422 if problem else 200)


@login_required
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    row = _batch(request, pk)
    template = "batches/live.html" if request.GET.get("part") == "live" else "batches/batch.html"
    return render(request, template, _context(request, row))


def _context(request: HttpRequest, row: Batch) -> dict[str, Any]:
    plan = batches.plan_of(row)
    state = request.GET.get("state", "")
    start = max(row_number(request.GET.get("from", "")) or 0, 0)
    wanted = [verdict for verdict in plan.verdicts if state in ("", verdict.state)]
    shown = [verdict for verdict in wanted if verdict.number >= start][:ROWS_SHOWN]
    for verdict in shown:
        verdict.words, verdict.tone = WORDS[verdict.state]  # type: ignore[attr-defined]
    later = next((v.number for v in wanted if shown and v.number > shown[-1].number), None)
    ready = plan.counts["ok"] + plan.counts["warning"] + _to_the_inbox(plan)
    return {
        "batch": row,
        "rows": shown,
        "later": later,
        "first": start,
        "tally": [(key, *WORDS[key], plan.counts[key]) for key in WORDS if plan.counts[key]],
        "state": state,
        "count": len(plan.verdicts),
        "recorded": plan.counts["done"] + plan.counts["inbox"],
        "right": plan.counts["ok"] + plan.counts["warning"],
        "wrong": _to_the_inbox(plan),
        "missing": plan.counts["missing"],
        "unnamed": plan.unnamed,
        "ready": ready and row.status != Batch.Status.QUEUED,
        "running": row.status == Batch.Status.QUEUED,
    }


def _to_the_inbox(plan: Plan) -> int:
    """Rows that are wrong and have a file, and files without a row."""
    wrong = sum(v.state == "error" and v.blob is not None for v in plan.verdicts)
    return wrong + len(plan.unnamed)


@require_POST
@login_required
def batch_files(request: HttpRequest, pk: int) -> HttpResponse:
    """For browsers without the page's script, which sends them one by one."""
    row = _batch(request, pk)
    try:
        for file in request.FILES.getlist("file"):
            batches.add_file(row, file.name or "unnamed", _pending(file))
    except (RefusedError, StoreError) as error:
        messages.error(request, str(error))
    return redirect(row)


@require_POST
@login_required
def batch_commit(request: HttpRequest, pk: int) -> HttpResponse:
    row = batches.commit(_batch(request, pk), request.user)
    if row.status == Batch.Status.DONE:
        messages.success(request, "Everything of this batch is recorded.")
    elif row.status == Batch.Status.OPEN:
        messages.info(request, "What can be recorded is; the rest waits for its files.")
    return redirect(row)


@login_required
def template(request: HttpRequest) -> HttpResponseBase:
    return template_file()


def _batch(request: HttpRequest, pk: int) -> Batch:
    mine = Batch.objects.visible_to(request.user).select_related("project", "created_by")
    row: Batch = get_object_or_404(mine, pk=pk)
    return row


def _pending(file: UploadedFile) -> Pending:
    upload = store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        for chunk in file.chunks():
            upload.write(chunk)
    except BaseException:
        upload.discard()
        raise
    return upload


urlpatterns: list[URLPattern] = [
    path("batches/", batch_list, name="batches"),
    path("batches/template/", template, name="batch-template"),
    path("batches/<int:pk>/", batch, name="batch"),
    path("batches/<int:pk>/files/", batch_files, name="batch-files"),
    path("batches/<int:pk>/commit/", batch_commit, name="batch-commit"),
]
