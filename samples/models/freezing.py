"""Triggers that keep a recipe as it was when a preparation first used it.

What was made by a recipe is read through it, so its components, steps and segments stay; a change is a new
version. Who takes a whole project away (the demo) sets the triggers aside with `pgtrigger.ignore`.
"""

from __future__ import annotations

import pgtrigger

NAME = "frozen_with_its_recipe"
EACH_CHANGE = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete
REFUSAL = """
    RAISE EXCEPTION 'This recipe is in use, so it cannot change; save a new version of it instead.'
    USING ERRCODE = 'check_violation';
"""


def frozen_with_its_recipe() -> pgtrigger.Trigger:
    """For a table with a recipe_id, null where the row belongs to a preparation."""
    return pgtrigger.Trigger(
        name=NAME,
        when=pgtrigger.Before,
        operation=EACH_CHANGE,
        func=f"""
            IF EXISTS (
                SELECT FROM samples_recipe
                WHERE frozen_at IS NOT NULL AND id IN (
                    CASE WHEN TG_OP <> 'INSERT' THEN OLD.recipe_id END,
                    CASE WHEN TG_OP <> 'DELETE' THEN NEW.recipe_id END
                )
            ) THEN {REFUSAL}
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        """,
    )


SEGMENT_FROZEN = pgtrigger.Trigger(
    name=NAME,
    when=pgtrigger.Before,
    operation=EACH_CHANGE,
    func=f"""
        IF EXISTS (
            SELECT FROM samples_sintering step
            JOIN samples_recipe recipe ON recipe.id = step.recipe_id
            WHERE recipe.frozen_at IS NOT NULL AND step.id IN (
                CASE WHEN TG_OP <> 'INSERT' THEN OLD.sintering_id END,
                CASE WHEN TG_OP <> 'DELETE' THEN NEW.sintering_id END
            )
        ) THEN {REFUSAL}
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    """,
)

# Its author may leave and it may be told where it came from; what it says stays.
RECIPE_FROZEN = pgtrigger.Trigger(
    name="frozen_once_used",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition(
        "OLD.frozen_at IS NOT NULL AND (NEW.project_id, NEW.name, NEW.version, NEW.notes, NEW.frozen_at) "
        "IS DISTINCT FROM (OLD.project_id, OLD.name, OLD.version, OLD.notes, OLD.frozen_at)"
    ),
    func=REFUSAL,
)

FREEZING_TRIGGERS = tuple(
    f"samples.{model}:{NAME}"
    for model in ("Component", "Milling", "Sintering", "FurnaceSegment", "Quench", "OtherStep")
)
