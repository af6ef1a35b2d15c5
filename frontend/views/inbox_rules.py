"""Rules of the inbox: what they are, and what one would do before it does it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from frontend.access import login_required
from frontend.formatting import number
from frontend.forms.inbox import RuleForm, starting
from frontend.scope import narrowed, scope
from measurements.models import InboxRule, Instrument
from measurements.services.rules import MOST_LOOKED_AT, apply_now, must_manage, save_rule, trial
from samples.models import Project
from samples.querysets import MANAGER

MOST_SHOWN = 30


@login_required
def rule_list(request: HttpRequest) -> HttpResponse:
    form = _form(request, request.POST or None)
    if request.method == "POST" and form.is_valid() and _saved(request, form):
        messages.success(request, "The rule holds from now on. Apply it to what waits already, if you like.")
        return redirect("inbox-rules")
    context = {
        "rules": list(
            narrowed(InboxRule.objects.all(), request)
            .select_related("project", "instrument", "created_by")
            .order_by("project__name", "pk")
        ),
        "form": form if form.projects else None,
        "managed": list(form.projects.values()),
        "manages": {project.pk for project in form.projects.values()},
    }
    return render(request, "inbox/rules.html", context, status=422 if form.errors else 200)


@login_required
def rule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    rule = _rule(request, pk)
    must_manage(rule.project, request.user)
    form = _form(request, request.POST or None, rule)
    if request.method == "POST" and form.is_valid() and _saved(request, form):
        messages.success(request, "The rule is changed.")
        return redirect("inbox-rules")
    return render(
        request, "inbox/rule.html", {"rule": rule, "form": form}, status=422 if form.errors else 200
    )


@require_POST
@login_required
def rule_switch(request: HttpRequest, pk: int) -> HttpResponse:
    rule = _rule(request, pk)
    rule.enabled = not rule.enabled
    save_rule(rule, request.user)
    messages.success(request, f"The rule {'holds again' if rule.enabled else 'is off'}.")
    return redirect("inbox-rules")


@require_POST
@login_required
def rule_try(request: HttpRequest) -> HttpResponse:
    """The live preview beside the form: a part of the page, for htmx."""
    pk = request.POST.get("rule", "")
    rule = _rule(request, int(pk)) if pk.isascii() and pk.isdecimal() and len(pk) < 19 else None
    form = _form(request, request.POST, rule)
    context: dict[str, Any] = {"looked_at": MOST_LOOKED_AT}
    if not form.is_valid():
        context["sentence"] = "Write a pattern, and what it would do now appears here."
    else:
        wanted = form.filled()
        try:
            must_manage(wanted.project, request.user)
            wanted.full_clean(exclude=["created_by"])
            tried = trial(wanted, request.user)
            context |= {
                "tried": sorted(tried, key=lambda each: each.sample is None)[:MOST_SHOWN],
                "count": len(tried),
                "fitting": sum(each.sample is not None for each in tried),
            }
        except (ValidationError, PermissionDenied) as error:
            context["sentence"] = " ".join(getattr(error, "messages", [str(error)]))
    return render(request, "inbox/trial.html", context)


@require_POST
@login_required
def rules_apply(request: HttpRequest) -> HttpResponse:
    project = get_object_or_404(
        Project.objects.visible_to(request.user), slug=request.POST.get("project", "")[:60]
    )
    count = apply_now(project, request.user)
    if count:
        messages.success(request, f"{number(count)} left the inbox of {project}.")
    else:
        messages.info(request, f"The rules fit nothing that waits in the inbox of {project}.")
    return redirect("inbox-rules")


def _form(request: HttpRequest, data: Any, rule: InboxRule | None = None) -> RuleForm:
    managed = [m.project for m in scope(request).memberships if m.role >= MANAGER]
    instruments = Instrument.objects.filter(project__in=[rule.project] if rule else managed)
    initial = starting(rule) if rule else {"project": getattr(scope(request).project, "slug", None)}
    return RuleForm(
        data,
        projects=managed,
        instruments=list(instruments.select_related("project")),
        rule=rule,
        initial=initial,
        auto_id="rule-%s",
    )


def _saved(request: HttpRequest, form: RuleForm) -> bool:
    try:
        save_rule(form.filled(), request.user)
    except ValidationError as error:
        form.refuse(error)
        return False
    return True


def _rule(request: HttpRequest, pk: int) -> InboxRule:
    seen = InboxRule.objects.visible_to(request.user).select_related("project", "instrument")
    return get_object_or_404(seen, pk=pk)


urlpatterns: list[URLPattern] = [
    path("inbox/rules/", rule_list, name="inbox-rules"),
    path("inbox/rules/try/", rule_try, name="inbox-rule-try"),
    path("inbox/rules/apply/", rules_apply, name="inbox-rules-apply"),
    path("inbox/rules/<int:pk>/", rule_edit, name="inbox-rule"),
    path("inbox/rules/<int:pk>/switch/", rule_switch, name="inbox-rule-switch"),
]
