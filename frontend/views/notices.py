"""What a person should know: the list behind the count in the top bar."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from analysis import services
from analysis.models import Notice
from analysis.services.notices import mail_is_set_up
from frontend.access import login_required
from frontend.keyset import page


@login_required
def notices(request: HttpRequest) -> HttpResponse:
    seen = Notice.objects.visible_to(request.user).select_related("project")
    found = page(
        seen,
        "id",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    unread = seen.unread().count()
    return render(request, "notices.html", {"page": found, "unread": unread, "mail": mail_is_set_up()})


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_read(request.user)
    return redirect("notices")


@require_POST
@login_required
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Read it, and go where it points."""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    services.mark_read(request.user, notice.pk)
    return redirect(notice.url or "notices")


urlpatterns: list[URLPattern] = [
    path("notices/", notices, name="notices"),
    path("notices/read/", read_all, name="notices-read"),
    path("notices/<int:pk>/read/", read, name="notice-open"),
]
