"""Explore over 33 000 samples × 30 properties (10⁶ values) beside what a user of Django would write.

.venv/bin/python -m benchmarks explore
"""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from analysis import explore, properties
from analysis.api.explore import as_binary, as_json
from analysis.models import Publication, Value
from benchmarks.measuring import interleaved, table
from samples.models import Project, User
from samples.services import create_project

SAMPLES, PROPERTIES = 33_000, 30
X, COLOR = "sintering_temperature_c", "loading_mass_fraction"
OURS = "one statement, typed arrays (JSON)"


def fill(user: User, samples: int = SAMPLES, properties_each: int = PROPERTIES) -> Project:
    """Samples with factors and current values, by SQL alone."""
    project = create_project(user=user, name="Benchmark", slug="benchmark")
    paper = Publication.objects.create(key="benchmark", title="Generated for the benchmark")
    keys = [(p.key, (p.components or ("",))[0], p.unit) for p in properties.all().values()][:properties_each]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO samples_sample
                (project_id, code, name, notation, state, planned, place_is_slot,
                void_reason, notes, created_at)
            SELECT %s, 'B-' || lpad(n::text, 6, '0'), '', '(CsPbI3)0.25(agZIF-62)0.75', 'composite', false,
                false, '', '', now()
            FROM generate_series(1, %s) n""",
            [project.pk, samples],
        )
        cursor.execute(
            """UPDATE samples_processfactors
            SET loading_mass_fraction = (sample_id %% 100) / 100.0,
                sintering_temperature_c = 150 + sample_id %% 200, sintering_gas = 'Ar',
                quench_medium = 'liquid_nitrogen', halide = 'I', perovskite = 'CsPbI3'
            WHERE sample_id IN (SELECT id FROM samples_sample WHERE project_id = %s)""",
            [project.pk],
        )
        cursor.execute(
            """INSERT INTO analysis_value (sample_id, property, component, method, value, sigma, unit,
                comparator, text, origin, inferred, rejected, current, publication_id, place, note,
                created_at)
            SELECT s.id, p.key, p.component, '', random(), 0.01 + 0.01 * random(), p.unit, '=',
                '', 'published', false, false, true, %s, '', '', now()
            FROM samples_sample s, unnest(%s::text[], %s::text[], %s::text[]) AS p(key, component, unit)
            WHERE s.project_id = %s ORDER BY p.key, s.id""",
            [paper.pk, *([row[i] for row in keys] for i in range(3)), project.pk],
        )
        for name in ("samples_sample", "samples_processfactors", "analysis_value"):
            cursor.execute(f"VACUUM ANALYZE {name}")
    return project


class PointSerializer(serializers.ModelSerializer):
    """The usual serializer over the usual relations."""

    sample = serializers.CharField(source="sample.code")
    x = serializers.FloatField(source=f"sample.factors.{X}")
    color = serializers.FloatField(source=f"sample.factors.{COLOR}")

    class Meta:
        model = Value
        fields = ["sample", "x", "value", "sigma", "color", "origin"]


def main() -> str:
    user = User.objects.create_user("benchmark")
    fill(user)
    key = next(iter(properties.all()))
    component = explore.axis(key).component

    def points() -> Any:
        visible = Project.objects.visible_to(user).values("pk")
        return Value.objects.filter(
            property=key, component=component, current=True, sample__project__in=visible
        )

    def values_list() -> bytes:
        wanted = (
            f"sample__factors__{X}",
            "value",
            "sigma",
            f"sample__factors__{COLOR}",
            "sample__code",
            "origin",
        )
        return orjson.dumps(list(points().values_list(*wanted)))

    def serializer() -> bytes:
        rows = points().select_related("sample__factors")
        return JSONRenderer().render(PointSerializer(rows, many=True).data)

    def ours() -> explore.Columns:
        return explore.columns(user, x=X, y=key, color=COLOR, labels=False)

    count = Value.objects.count()
    assert len(ours()) == len(orjson.loads(values_list())) == SAMPLES
    medians = interleaved(
        {
            "DRF ModelSerializer": serializer,
            ".values_list() + orjson": values_list,
            OURS: lambda: as_json(ours()),
            "one statement, raw binary columns": lambda: as_binary(ours()),
        },
        rounds=7,
    )
    return f"{SAMPLES} points out of {count} values.\n\n{table(medians, OURS)}"
