from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.urls import reverse

from samples.identity import FREE, IdentityError, accept_code
from samples.models.acyclic import PREPARATION_MAKES_NO_CYCLE
from samples.models.audit import audited
from samples.models.limits import within
from samples.models.locations import Location
from samples.models.materials import Material
from samples.models.people import Project
from samples.models.preparations import Preparation
from samples.querysets import SampleQuerySet

CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"


@audited
class Sample(models.Model):
    """Any physical thing with a label: a bottle of CsI, a milled mixture, a sintered composite."""

    class State(models.TextChoices):
        POWDER = "powder", "Powder"
        CRYSTAL = "crystal", "Crystal"
        GLASS = "glass", "Glass"
        MIXTURE = "mixture", "Mixture"
        COMPOSITE = "composite", "Composite"
        SINTERED = "sintered", "Sintered"
        SOLUTION = "solution", "Solution"
        OTHER = "other", "Other"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="samples")
    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                CODE, "A code starts with a letter or digit and holds letters, digits, dot, - and _."
            )
        ],
    )
    name = models.CharField(max_length=160, blank=True)
    notation = models.CharField(max_length=160, blank=True)
    state = models.CharField(max_length=20, choices=State.choices)
    material = models.ForeignKey(
        Material,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="samples",
        help_text="What it is, when it is one substance; empty for mixtures and composites.",
    )
    preparation = models.ForeignKey(
        Preparation, on_delete=models.PROTECT, null=True, blank=True, related_name="samples"
    )
    made_at = models.DateTimeField(null=True, blank=True, help_text="Empty: planned, or date not recorded.")
    planned = models.BooleanField(default=False, help_text="Not made yet.")
    amount_g = models.FloatField(
        null=True, blank=True, help_text="As made or bought; empty when not recorded."
    )
    mass_left_g = models.FloatField(
        null=True,
        blank=True,
        help_text="Kept by the ledger with every weigh-out, loss and recount; empty when not known.",
    )
    place = models.ForeignKey(
        Location, on_delete=models.PROTECT, null=True, blank=True, related_name="samples"
    )
    place_is_slot = models.BooleanField(
        default=False, editable=False, help_text="Set by a trigger from the place."
    )
    embargoed_until = models.DateField(
        null=True, blank=True, help_text="Until then only its maker and the project's managers see it."
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = SampleQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        indexes = [
            *(
                GinIndex(OpClass(Upper(column), "gin_trgm_ops"), name=f"sample_words_in_{column}")
                for column in ("code", "name", "notation")
            ),
            models.Index(name="sample_by_project_and_code", fields=["project", "code"]),
            models.Index(
                name="sample_under_embargo",
                fields=["embargoed_until"],
                condition=Q(embargoed_until__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="slot_holds_one_thing",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("place_id"),
                func="""
                    NEW.place_is_slot := coalesce(
                        (SELECT kind = 'slot' FROM samples_location WHERE id = NEW.place_id), false
                    );
                    RETURN NEW;
                """,
            ),
            PREPARATION_MAKES_NO_CYCLE,
            pgtrigger.Trigger(
                name="has_a_row_of_factors",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                # Lists join the two tables and walk an index of either: a missing row would hide the sample.
                func="""
                    INSERT INTO samples_processfactors (
                        sample_id, sintering_gas, quench_medium, halide, perovskite, glass_batch, derived_at
                    ) VALUES (NEW.id, '', '', '', '', '', now()) ON CONFLICT DO NOTHING;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(name="sample_code_printable", condition=Q(code__regex=CODE)),
            models.CheckConstraint(
                name="sample_state_known",
                condition=Q(
                    state__in=[
                        "powder",
                        "crystal",
                        "glass",
                        "mixture",
                        "composite",
                        "sintered",
                        "solution",
                        "other",
                    ]
                ),
            ),
            within("sample", "amount_g", low=0),
            within("sample", "mass_left_g", low=0),
            models.UniqueConstraint(
                name="sample_one_thing_a_slot", fields=["place"], condition=Q(place_is_slot=True)
            ),
            models.CheckConstraint(
                name="sample_voided_with_a_reason", condition=Q(voided_at__isnull=True) | ~Q(void_reason="")
            ),
            models.CheckConstraint(
                name="sample_planned_has_no_date", condition=Q(planned=False) | Q(made_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("sample", args=[self.code])

    def clean(self) -> None:
        """A code that is new here is no page's address, and no slip of one that we draw."""
        super().clean()
        if self._state.adding and FREE.fullmatch(self.code):
            try:
                accept_code(self.code)
            except IdentityError as error:
                raise ValidationError({"code": str(error)}) from error

    @property
    def location(self) -> str:
        return self.place.path if self.place else ""
