"""Triggers that keep the genealogy free of circles: no sample is made from itself, however far back.

A circle closes either when an ingredient joins a preparation that has yielded samples already, or when a
sample that is used elsewhere is said to come from a preparation. Then the triggers walk down from the
product, which mostly has no children yet, and refuse if they meet the ingredient.

Two transactions could each add one half of a circle without seeing the other's. So whoever has to look takes
a lock exclusively, and whoever need not look takes it shared: looking waits until nobody else is writing.
"""

from __future__ import annotations

import pgtrigger

MESSAGE = "A sample cannot be made from itself"

INGREDIENT_MAKES_NO_CYCLE = pgtrigger.Trigger(
    name="ingredient_makes_no_cycle",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("sample_id", "preparation_id"),
    condition=pgtrigger.Q(new__sample__isnull=False),
    func="""
        IF TG_OP = 'UPDATE' AND OLD.sample_id = NEW.sample_id AND OLD.preparation_id = NEW.preparation_id THEN
            RETURN NULL;
        END IF;
        IF NOT EXISTS (SELECT FROM samples_sample WHERE preparation_id = NEW.preparation_id) THEN
            PERFORM pg_advisory_xact_lock_shared(3141592653);
            RETURN NULL;
        END IF;
        PERFORM pg_advisory_xact_lock(3141592653);
        IF EXISTS (
            WITH RECURSIVE descendant(id) AS (
                SELECT id FROM samples_sample WHERE preparation_id = NEW.preparation_id
                UNION
                SELECT made.id
                FROM descendant
                JOIN samples_ingredient used ON used.sample_id = descendant.id
                JOIN samples_sample made ON made.preparation_id = used.preparation_id
            )
            SELECT FROM descendant WHERE id = NEW.sample_id
        ) THEN
            RAISE EXCEPTION 'A sample cannot be made from itself' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    """,
)

PREPARATION_MAKES_NO_CYCLE = pgtrigger.Trigger(
    name="preparation_makes_no_cycle",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("preparation_id"),
    condition=pgtrigger.Condition("NEW.preparation_id <> coalesce(OLD.preparation_id, 0)"),
    func="""
        PERFORM pg_advisory_xact_lock(3141592653);
        IF EXISTS (
            WITH RECURSIVE descendant(id) AS (
                SELECT NEW.id
                UNION
                SELECT made.id
                FROM descendant
                JOIN samples_ingredient used ON used.sample_id = descendant.id
                JOIN samples_sample made ON made.preparation_id = used.preparation_id
            )
            SELECT FROM descendant
            JOIN samples_ingredient used ON used.sample_id = descendant.id
            WHERE used.preparation_id = NEW.preparation_id
        ) THEN
            RAISE EXCEPTION 'A sample cannot be made from itself' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    """,
)
