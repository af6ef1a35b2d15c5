"""Who may see a page and who may write on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from frontend.scope import scope
from samples.models import User

View = Callable[..., HttpResponse]

__all__ = ["login_required", "must_manage", "must_write", "nobody_yet", "or_first_administrator"]


def nobody_yet() -> bool:
    """Whether this instance has no person at all, so that the first visitor may become its administrator."""
    return not User.objects.exists()


def or_first_administrator(view: View) -> View:
    """For the doors of the house: while nobody exists, they lead to the page that makes the first person."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated and nobody_yet():
            return redirect("welcome")
        return view(request, *args, **kwargs)

    return wrapped


def must_write(request: HttpRequest, project_id: int) -> None:
    """A viewer sees a project's things and may not change them."""
    if not scope(request).may_write(project_id):
        raise PermissionDenied("You may look at this project but not write to it; ask one of its managers.")


def must_manage(request: HttpRequest, project_id: int) -> None:
    """What lasts beyond a membership, such as an instrument's token, is for managers."""
    if not scope(request).manages(project_id):
        raise PermissionDenied("This is for managers of the project; ask one of them.")
