"""Who sees a sample, links that show it to others, and the page behind such a link."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from analysis.models import Value
from frontend import history
from frontend.access import login_required, must_write
from frontend.forms.sharing import ShareForm
from frontend.values import shown
from measurements.models import Dataset, Measurement
from samples.ancestry import lineage
from samples.models import ProcessFactors, Sample, ShareLink
from samples.services import access


@never_cache
@login_required
def sharing(request: HttpRequest, code: str) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.visible_to(request.user).select_related("project"), code=code)
    form, address = ShareForm(request.POST or None), ""
    if request.method == "POST":
        must_write(request, sample.project_id)
        if form.is_valid():
            given = form.cleaned_data
            _, token = access.share(sample=sample, user=request.user, days=given["days"], note=given["note"])
            address, form = request.build_absolute_uri(reverse("shared", args=[token])), ShareForm()
    now = timezone.now()
    links = list(sample.share_links.select_related("created_by"))
    for link in links:
        link.is_open = link.revoked_at is None and link.expires_at > now
    context = {
        "sample": sample,
        "members": access.who_sees(sample),
        "embargoed": Sample.objects.under_embargo().filter(pk=sample.pk).exists(),
        "links": links,
        "form": form,
        "address": address,
        "may_write": access.may_share(sample, request.user),
    }
    return render(request, "sharing/sample.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    link = get_object_or_404(ShareLink.objects.visible_to(request.user), pk=pk, sample=sample)
    must_write(request, sample.project_id)
    try:
        access.revoke_link(link, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The link is revoked; whoever opens it now finds nothing.")
    return redirect("sample-share", sample.code)


@never_cache
@require_GET
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """One sample for whoever holds the link. Everything is in this page: no other address opens by it."""
    link = access.shared_sample(token)
    if link is None:
        raise Http404("This link has expired, was revoked, or is not complete.")
    context = {"link": link, **_told(link.sample)}
    answer = render(request, "sharing/shared.html", context)
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return answer


def _told(sample: Sample) -> dict[str, Any]:
    """The sample and its own making; relatives are not named, for they were not shared."""
    family, visible = lineage(sample), {sample.pk}
    pictures = Dataset.objects.filter(current=True).only(
        "measurement_id", "preview", "number", "axes", "signal_name", "signal_unit"
    )
    measurements = (
        Measurement.objects.filter(sample=sample, status=Measurement.Status.READ)
        .prefetch_related(Prefetch("datasets", queryset=pictures, to_attr="pictures"))
        .order_by("technique", "-pk")
    )
    values = Value.objects.filter(sample=sample, current=True)
    return {
        "sample": sample,
        "processing": getattr(sample, "factors", None) or ProcessFactors(),
        "chapters": history.chapters(family, visible),
        "programme": history.programme(family, visible),
        "values": shown(values.select_related("publication", "run", "measurement", "entered_by")),
        "measurements": list(measurements),
    }


urlpatterns: list[URLPattern] = [
    path("samples/<str:code>/share/", sharing, name="sample-share"),
    path("samples/<str:code>/share/<int:pk>/revoke/", revoke, name="sample-share-revoke"),
    path("shared/<str:token>/", shared, name="shared"),
]
