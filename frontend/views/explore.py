"""Explore: any process factor against any property; the address is the question."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from frontend import figures, question
from frontend.access import login_required
from frontend.scope import scope


@login_required
def explore(request: HttpRequest) -> HttpResponse:
    if scope(request).unknown:
        raise Http404("There is no such project among yours.")
    asked = question.asked(request)
    loadings = question.loadings(request)
    context = {
        "asked": asked,
        "axes": question.axes_on_offer(request, asked),
        "kinds": [loaded.figure for loaded in figures.taking("points")],
        "projects": [membership.project for membership in scope(request).memberships],
        "quenches": question.quenches(request, asked),
        "origins": question.origins(asked),
        "loadings": loadings,
        "bars": question.bars(loadings),
        "loading_from": asked.get(f"{question.LOADING}__gte", ""),
        "loading_until": asked.get(f"{question.LOADING}__lte", ""),
        "figure_url": f"{reverse('explore-figure')}?{asked.urlencode()}",
        "default": question.DEFAULT,
    }
    return render(request, "explore.html", context)
