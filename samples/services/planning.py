"""A recipe, its planned preparation and its planned sample, in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from samples.models import Material, Project, Sample, User
from samples.services.recipes import prepare, save_recipe


@transaction.atomic
def plan_composite(
    *,
    user: User,
    project: Project,
    name: str,
    components: Sequence[tuple[Material, float]],
    milling: Mapping[str, Any] | None = None,
    sintering: Mapping[str, Any] | None = None,
    quench: Mapping[str, Any] | None = None,
    code: str = "",
    notes: str = "",
) -> Sample:
    """Mill, sinter and quench, each or not; for anything else see `save_recipe` and `prepare`."""
    steps = [("milling", milling), ("sintering", sintering), ("quench", quench)]
    recipe = save_recipe(
        user=user,
        project=project,
        name=name,
        components=components,
        steps=[{"kind": kind, **step} for kind, step in steps if step is not None],
        notes=notes,
    )
    return prepare(user=user, recipe=recipe, code=code)
