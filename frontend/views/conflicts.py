"""Sources that disagree: listed, laid side by side, decided."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from analysis import properties
from analysis.models import Conflict, Value
from analysis.services.conflicts import decide, propose
from frontend.access import login_required, must_write
from frontend.forms.literature import ConflictForm
from frontend.scope import narrowed, scope

MOST_LISTED = 300
STATES = (("open", "Open"), ("decided", "Decided"), ("", "All"))


@require_GET
@login_required
def conflict_list(request: HttpRequest) -> HttpResponse:
    seen = narrowed(Conflict.objects.select_related("project", "decided_by"), request)
    counts = dict(seen.order_by().values_list("category").annotate(n=Count("pk")))
    state, category = request.GET.get("state", "open"), request.GET.get("category", "")
    rows = seen.filter(category=category) if category in Conflict.Category.values else seen
    if state in ("open", "decided"):
        rows = rows.filter(decided_at__isnull=state == "open")
    rows = rows.prefetch_related("publications").order_by(F("decided_at").desc(nulls_first=True), "pk")
    found = list(rows[: MOST_LISTED + 1])
    context = {
        "rows": found[:MOST_LISTED],
        "more": len(found) > MOST_LISTED,
        "state": state,
        "states": STATES,
        "category": category,
        "categories": [
            (key, label, counts[key]) for key, label in Conflict.Category.choices if counts.get(key)
        ],
        "any": bool(counts),
        "may_write": bool(scope(request).writable()),
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "conflicts/list.html", context)


@require_GET
@login_required
def conflict(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(
        Conflict.objects.visible_to(request.user).select_related("project", "decided_by", "decided_value"),
        pk=pk,
    )
    context = {
        "conflict": row,
        "values": _values(row),
        "publications": _without_values(row),
        "may_decide": scope(request).manages(row.project_id),
    }
    return render(request, "conflicts/conflict.html", context)


def _values(row: Conflict) -> list[Value]:
    values = list(
        row.values.select_related("sample", "publication", "entered_by", "run", "measurement").order_by("pk")
    )
    declared = properties.all()
    for value in values:
        value.label = declared[value.property].label if value.property in declared else value.property
    return values


def _without_values(row: Conflict) -> list[object]:
    """Sources that the values do not name already."""
    named = row.values.filter(publication__isnull=False).values("publication")
    return list(row.publications.exclude(pk__in=named).order_by("key"))


@require_POST
@login_required
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Conflict.objects.visible_to(request.user), pk=pk)
    chosen = request.POST.get("value", "")
    value = next((each for each in row.values.all() if str(each.pk) == chosen), None)
    try:
        decide(conflict=row, user=request.user, decision=request.POST.get("decision", ""), value=value)
    except ValidationError as error:
        messages.error(request, f"Nothing was decided. {' '.join(error.messages)}")
    else:
        messages.success(request, "Decided. Every value stays where it is; your words stand beside them.")
    return redirect("conflict", row.pk)


@require_http_methods(["GET", "POST"])
@login_required
def conflict_create(request: HttpRequest) -> HttpResponse:
    writable = scope(request).writable()
    slug = request.POST.get("in_project") or request.GET.get("project", "")
    known = scope(request).project
    project = next((each for each in writable if each.slug == (slug or (known.slug if known else ""))), None)
    project = project or (writable[0] if writable else None)
    if project is None:
        must_write(request, 0)
        raise AssertionError  # must_write has refused
    form = ConflictForm(request.POST or None, initial={"values": request.GET.get("values", "")})
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        asked = set(said.pop("values"))
        values = list(Value.objects.visible_to(request.user).filter(pk__in=asked))
        try:
            if len(values) < len(asked):
                raise ValidationError({"values": "There is no such value among those you may see."})
            made = propose(user=request.user, project=project, values=values, **said)
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                form.add_error(name if name in form.fields else None, " ".join(sentences))
        else:
            messages.success(request, f"Kept as {made.code}.")
            return redirect("conflict", made.pk)
    context = {"form": form, "project": project, "projects": writable}
    return render(request, "conflicts/create.html", context, status=400 if form.errors else 200)


urlpatterns: list[URLPattern] = [
    path("conflicts/", conflict_list, name="conflicts"),
    path("conflicts/new/", conflict_create, name="conflict-create"),
    path("conflicts/<int:pk>/", conflict, name="conflict"),
    path("conflicts/<int:pk>/decide/", decision, name="conflict-decision"),
]
