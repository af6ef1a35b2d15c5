"""The inbox: what waits for a person, why, and what it probably is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from frontend.access import login_required
from frontend.formatting import number
from frontend.keyset import page
from frontend.scope import narrowed, scope
from measurements.models import Dataset, Instrument, Measurement
from measurements.querysets import REASONS
from measurements.services import RefusedError, assign, keep, move, reread, restore, set_technique, void
from measurements.services.inbox import known_technique
from measurements.services.suggesting import suggest
from measurements.services.waiting import WORDS, why
from measurements.techniques import Technique
from samples.incoming import row_number
from samples.models import Sample

VOID = "void"
TICKED = "ticked"
MOST_AT_ONCE = 500


@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    everything = narrowed(Measurement.objects.inbox(), request)
    counts = everything.order_by().aggregate(
        all=Count("pk"), **{key: Count("pk", filter=condition) for key, condition in REASONS.items()}
    )
    reason = request.GET.get("reason", "")
    rows = _chosen(everything, request, reason)
    found = page(
        _with_all(rows),
        "id",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    _explain(request, found.rows)
    context = {
        "page": found,
        "count": counts["all"],
        "tabs": [("", "All", counts["all"]), *((key, words, counts[key]) for key, words in WORDS.items())],
        "reason": reason,
        "instruments": list(narrowed(Instrument.objects.all(), request).values_list("name", flat=True)),
        "instrument": request.GET.get("instrument", ""),
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
        "may_write": any(row.may_write for row in found.rows),
        "techniques": [choice for choice in Technique.choices if choice[0] != "unknown"],
    }
    return render(request, "inbox/inbox.html", context)


def _chosen(everything: QuerySet, request: HttpRequest, reason: str) -> QuerySet:
    rows = everything
    if reason == VOID:
        rows = narrowed(Measurement.objects.filter(status=Measurement.Status.VOID), request)
    elif reason in REASONS:
        rows = rows.filter(REASONS[reason])
    if instrument := request.GET.get("instrument", ""):
        rows = rows.filter(instrument__name=instrument)
    return rows


def _with_all(rows: QuerySet) -> QuerySet:
    pictures = Dataset.objects.filter(current=True, number=0).only("measurement_id", "preview", "number")
    return rows.select_related("project", "sample", "instrument").prefetch_related(
        "files", Prefetch("datasets", queryset=pictures, to_attr="pictures")
    )


def _explain(request: HttpRequest, rows: Sequence[Any]) -> None:
    reasons, suggested = why(request.user, rows), suggest(request.user, rows)
    for row in rows:
        row.reasons = reasons[row.pk]
        row.keys = {reason.key for reason in row.reasons}
        row.suggestion = suggested.get(row.pk)
        row.may_write = scope(request).may_write(row.project_id)


@require_POST
@login_required
def inbox_assign(request: HttpRequest) -> HttpResponse:
    """One sample for each ticked row: its own field, or the one field for all of them."""
    for_all = request.POST.get("sample", "").strip()
    only = row_number(request.POST.get("only", ""))
    if only is not None:
        for_all = ""

    def give(row: Measurement) -> None:
        code = for_all or request.POST.get(f"sample-{row.pk}", "").strip()
        assign(row, _sample(request, code), user=request.user)

    rows = _rows(request, str(only) if only is not None else TICKED)
    return _each(request, rows, give, "left the inbox.")


@require_POST
@login_required
def inbox_decide(request: HttpRequest) -> HttpResponse:
    """Everything but the sample, for one row or for the ticked: the pressed button names the act."""
    act = next((name for name in ACTS if name in request.POST), "")
    if not act:
        return redirect("inbox")
    which = request.POST[act]
    decide, done = ACTS[act]
    return _each(request, _rows(request, which), lambda row: decide(request, row, which), done)


def _rows(request: HttpRequest, which: str) -> list[Measurement]:
    given = request.POST.getlist("measurement") if which == TICKED else [which]
    pks = [pk for pk in map(row_number, given) if pk is not None][:MOST_AT_ONCE]
    seen = Measurement.objects.visible_to(request.user).filter(pk__in=pks)
    return list(_with_all(seen))


def _each(
    request: HttpRequest, rows: Sequence[Measurement], act: Callable[[Measurement], Any], done: str
) -> HttpResponse:
    count, refused = 0, []
    for row in rows:
        try:
            act(row)
            count += 1
        except (RefusedError, PermissionDenied) as error:
            refused.append(str(error))
    for sentence in dict.fromkeys(refused):
        messages.error(request, sentence)
    if count:
        messages.success(request, f"{number(count)} {done}")
    elif not rows:
        messages.warning(request, "Nothing was ticked.")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """To the same part of the inbox, never anywhere else."""
    kept = {name: request.POST[name] for name in ("reason", "instrument") if request.POST.get(name)}
    return f"{reverse('inbox')}?{urlencode(kept)}" if kept else reverse("inbox")


def _say_technique(request: HttpRequest, row: Measurement, which: str) -> None:
    field = "for-all-technique" if which == TICKED else f"technique-{row.pk}"
    set_technique(row, known_technique(request.POST.get(field, "") or "unknown"), user=request.user)


def _reread(request: HttpRequest, row: Measurement, which: str) -> None:
    reread(row, user=request.user)


def _keep(request: HttpRequest, row: Measurement, which: str) -> None:
    keep(row, user=request.user)


def _move(request: HttpRequest, row: Measurement, which: str) -> None:
    suggestion = suggest(request.user, [row]).get(row.pk)
    if suggestion is None:
        raise RefusedError("sample", f"Nothing names another sample for measurement {row.pk}.")
    reason = f"{suggestion.code} was {suggestion.found}."
    move(row, _sample(request, suggestion.code), user=request.user, reason=reason)


def _void(request: HttpRequest, row: Measurement, which: str) -> None:
    field = "for-all-reason" if which == TICKED else f"reason-{row.pk}"
    void(row, user=request.user, reason=request.POST.get(field, ""))


def _restore(request: HttpRequest, row: Measurement, which: str) -> None:
    restore(row, user=request.user, reason="Undone in the inbox.")


ACTS: dict[str, tuple[Callable[[HttpRequest, Measurement, str], None], str]] = {
    "technique": (_say_technique, "got a technique."),
    "reread": (_reread, "handed to the readers again."),
    "keep": (_keep, "kept as found: no conflict any more."),
    "move": (_move, "moved. Their history says from where."),
    "void": (_void, "declared void. Under “Void” that can be undone."),
    "restore": (_restore, "no longer void."),
}


def _sample(request: HttpRequest, code: str) -> Sample:
    if not code:
        raise RefusedError("sample", "Say which sample it belongs to.")
    found = Sample.objects.visible_to(request.user).filter(code__iexact=code).first()
    if found is None:
        raise RefusedError("sample", f"There is no sample “{code}”. Check the code on the label.")
    return found


urlpatterns: list[URLPattern] = [
    path("inbox/", inbox, name="inbox"),
    path("inbox/assign/", inbox_assign, name="inbox-assign"),
    path("inbox/decide/", inbox_decide, name="inbox-decide"),
]
