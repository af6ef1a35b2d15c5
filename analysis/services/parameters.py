"""Default parameters of a project: what new measurements are analysed with, and what that makes outdated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from analysis import methods
from analysis.models import ProjectParams
from analysis.services.changed import note_project
from samples.models import Project, User
from samples.querysets import MANAGER


def wanted_by(project_id: int, loaded: methods.LoadedMethod) -> dict[str, Any]:
    """What the project wants otherwise than the method."""
    row = ProjectParams.objects.filter(project=project_id, method=loaded.key).first()
    return {} if row is None else still_known(loaded, row.params)


def settled(loaded: methods.LoadedMethod, row: ProjectParams | None) -> dict[str, Any]:
    return methods.canonical_params(loaded, still_known(loaded, row.params if row else {}))


def still_known(loaded: methods.LoadedMethod, params: Mapping[str, Any]) -> dict[str, Any]:
    """What this version of the method still has; a choice it no longer allows falls back to its default."""
    names = {entry["name"] for entry in methods.params_schema(loaded)}
    kept = {name: value for name, value in params.items() if name in names}
    while True:
        try:
            methods.parse_params(loaded, kept)
        except methods.ParamsError as error:
            del kept[error.field]
        else:
            return kept


@transaction.atomic
def set_defaults(project: Project, method: str, params: Mapping[str, Any], *, user: User) -> ProjectParams:
    """From now on. What was analysed with earlier defaults is outdated; what a person chose is not.

    Raises KeyError (no such method), methods.ParamsError and PermissionDenied, each with a sentence.
    """
    if not Project.objects.with_role(user, MANAGER).filter(pk=project.pk).exists():
        raise PermissionDenied("Only a manager of the project may change its default parameters.")
    loaded = methods.get(method)
    wanted = methods.canonical_params(loaded, params)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    row = ProjectParams.objects.filter(project=project, method=method).first()
    before = settled(loaded, row)
    row = row or ProjectParams(project=project, method=method)
    if before != wanted:
        own = methods.canonical_params(loaded, {})
        row.former = [each for each in (*row.former, before) if each != wanted]
        row.params = {name: value for name, value in wanted.items() if value != own[name]}
        row.changed_by = user
        row.save()
    elif row.pk is None:
        row.changed_by = user
        row.save()
    if loaded.over_values:
        note_project(project)
    return row


def with_former_defaults(method: str) -> Q:
    """Runs that were made with what is no longer the default of their project."""
    found = Q(pk__in=[])
    for row in ProjectParams.objects.filter(method=method).exclude(former=[]):
        found |= Q(measurement__project=row.project_id, params__in=row.former)
    return found
