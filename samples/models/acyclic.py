"""Triggers that keep the genealogy free of circles: no sample is made from itself, however far back.

A circle closes either when an ingredient joins a preparation that has yielded samples already, or when a
sample that is used elsewhere is said to come from a preparation. `MEETS` walks up from what goes in and down
from what comes out, a generation at a time by turns, until the two meet or one of them has ended: mostly at
once, for what is new has no ingredients or no uses yet. No walk needs to remember where it was, because the
rows that are there already make no circle.

Two transactions could each add one half of a circle without seeing the other's. So whoever has to look takes
a lock exclusively, and whoever need not look takes it shared: looking waits until nobody else is writing.
"""

from __future__ import annotations

import pgtrigger

MESSAGE = "A sample cannot be made from itself"

# Plans are made once a connection, perhaps while the tables are still empty and a scan looks cheap: so no
# scans, one table at a time, and no condition that another index could seem to serve.
MEETS = """
    CREATE OR REPLACE FUNCTION samples_genealogy_meets(below bigint[], above bigint[]) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan = off
    AS $$
    DECLARE
        preparations bigint[];
    BEGIN
        LOOP
            IF above && below THEN
                RETURN true;
            END IF;
            preparations := ARRAY(SELECT preparation_id FROM samples_sample WHERE id = ANY (above));
            above := ARRAY(
                SELECT sample_id FROM samples_ingredient WHERE preparation_id = ANY (preparations)
            );
            above := ARRAY(SELECT DISTINCT id FROM unnest(above) id WHERE id IS NOT NULL);
            IF above && below THEN
                RETURN true;
            END IF;
            EXIT WHEN above = '{}';
            preparations := ARRAY(
                SELECT preparation_id FROM samples_ingredient WHERE sample_id = ANY (below)
            );
            preparations := ARRAY(SELECT DISTINCT id FROM unnest(preparations) id);
            below := ARRAY(SELECT id FROM samples_sample WHERE preparation_id = ANY (preparations));
            EXIT WHEN below = '{}';
        END LOOP;
        RETURN false;
    END
    $$
"""
PRODUCTS = """
    CREATE OR REPLACE FUNCTION samples_products_of(preparation bigint) RETURNS bigint[]
    LANGUAGE plpgsql
    SET enable_seqscan = off
    AS $$
    BEGIN
        RETURN ARRAY(SELECT id FROM samples_sample WHERE preparation_id = preparation);
    END
    $$
"""
NO_PRODUCTS = "DROP FUNCTION IF EXISTS samples_products_of(bigint)"
NO_MEETS = "DROP FUNCTION IF EXISTS samples_genealogy_meets(bigint[], bigint[])"

INGREDIENT_MAKES_NO_CYCLE = pgtrigger.Trigger(
    name="ingredient_makes_no_cycle",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("sample_id", "preparation_id"),
    condition=pgtrigger.Q(new__sample__isnull=False),  # type: ignore[call-arg]
    declare=[("products", "bigint[]")],
    func="""
        IF TG_OP = 'UPDATE' AND OLD.sample_id = NEW.sample_id AND OLD.preparation_id = NEW.preparation_id THEN
            RETURN NEW;
        END IF;
        products := samples_products_of(NEW.preparation_id);
        IF products = '{}' THEN
            PERFORM pg_advisory_xact_lock_shared(3141592653);
            RETURN NEW;
        END IF;
        PERFORM pg_advisory_xact_lock(3141592653);
        IF samples_genealogy_meets(products, ARRAY[NEW.sample_id]) THEN
            RAISE EXCEPTION 'A sample cannot be made from itself' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)

PREPARATION_MAKES_NO_CYCLE = pgtrigger.Trigger(
    name="preparation_makes_no_cycle",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("preparation_id"),
    condition=pgtrigger.Condition("NEW.preparation_id <> coalesce(OLD.preparation_id, 0)"),
    func="""
        PERFORM pg_advisory_xact_lock(3141592653);
        IF samples_genealogy_meets(ARRAY[NEW.id], ARRAY(
            SELECT sample_id FROM samples_ingredient
            WHERE preparation_id = NEW.preparation_id AND sample_id IS NOT NULL
        )) THEN
            RAISE EXCEPTION 'A sample cannot be made from itself' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)
