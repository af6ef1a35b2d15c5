"""Triggers that keep the genealogy free of circles: no sample is made from itself, however far back.

A circle closes either when an ingredient joins a preparation that has yielded samples already, or when a
sample that is used elsewhere is said to come from a preparation. The trigger walks up from what goes in and
down from what comes out, a generation at a time each, until they meet or one of the walks has ended: mostly
at once, for what is new has no ingredients or no uses yet. No walk needs to remember where it was, because
the rows that are there already make no circle.

Two transactions could each add one half of a circle without seeing the other's. So whoever has to look takes
a lock exclusively, and whoever need not look takes it shared: looking waits until nobody else is writing.
"""

from __future__ import annotations

import pgtrigger

MESSAGE = "A sample cannot be made from itself"

INGREDIENT_MAKES_NO_CYCLE = pgtrigger.Trigger(
    name="ingredient_makes_no_cycle",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("sample_id", "preparation_id"),
    condition=pgtrigger.Q(new__sample__isnull=False),  # type: ignore[call-arg]
    declare=[("above", "bigint[]"), ("below", "bigint[]")],
    func="""
        IF TG_OP = 'UPDATE' AND OLD.sample_id = NEW.sample_id AND OLD.preparation_id = NEW.preparation_id THEN
            RETURN NEW;
        END IF;
        below := ARRAY(SELECT id FROM samples_sample WHERE preparation_id = NEW.preparation_id);
        IF below = '{}' THEN
            PERFORM pg_advisory_xact_lock_shared(3141592653);
            RETURN NEW;
        END IF;
        PERFORM pg_advisory_xact_lock(3141592653);
        above := ARRAY[NEW.sample_id];
        LOOP
            IF NEW.sample_id = ANY (below) OR EXISTS (
                SELECT FROM samples_sample
                WHERE id = ANY (above) AND preparation_id = NEW.preparation_id
            ) THEN
                RAISE EXCEPTION 'A sample cannot be made from itself' USING ERRCODE = 'check_violation';
            END IF;
            above := ARRAY(
                SELECT DISTINCT used.sample_id
                FROM samples_sample made
                JOIN samples_ingredient used ON used.preparation_id = made.preparation_id
                WHERE made.id = ANY (above) AND used.sample_id IS NOT NULL
            );
            EXIT WHEN above = '{}';
            below := ARRAY(
                SELECT DISTINCT made.id
                FROM samples_ingredient used
                JOIN samples_sample made ON made.preparation_id = used.preparation_id
                WHERE used.sample_id = ANY (below)
            );
            EXIT WHEN below = '{}';
        END LOOP;
        RETURN NEW;
    """,
)

PREPARATION_MAKES_NO_CYCLE = pgtrigger.Trigger(
    name="preparation_makes_no_cycle",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("preparation_id"),
    condition=pgtrigger.Condition("NEW.preparation_id <> coalesce(OLD.preparation_id, 0)"),
    declare=[("above", "bigint[]"), ("below", "bigint[]")],
    func="""
        PERFORM pg_advisory_xact_lock(3141592653);
        below := ARRAY[NEW.id];
        above := ARRAY(
            SELECT sample_id FROM samples_ingredient
            WHERE preparation_id = NEW.preparation_id AND sample_id IS NOT NULL
        );
        LOOP
            EXIT WHEN above = '{}';
            IF NEW.id = ANY (above) OR EXISTS (
                SELECT FROM samples_ingredient
                WHERE sample_id = ANY (below) AND preparation_id = NEW.preparation_id
            ) THEN
                RAISE EXCEPTION 'A sample cannot be made from itself' USING ERRCODE = 'check_violation';
            END IF;
            below := ARRAY(
                SELECT DISTINCT made.id
                FROM samples_ingredient used
                JOIN samples_sample made ON made.preparation_id = used.preparation_id
                WHERE used.sample_id = ANY (below)
            );
            EXIT WHEN below = '{}';
            above := ARRAY(
                SELECT DISTINCT used.sample_id
                FROM samples_sample made
                JOIN samples_ingredient used ON used.preparation_id = made.preparation_id
                WHERE made.id = ANY (above) AND used.sample_id IS NOT NULL
            );
        END LOOP;
        RETURN NEW;
    """,
)
