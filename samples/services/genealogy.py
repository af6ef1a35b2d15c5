"""Who is made from whom."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from samples.models import Ingredient, Preparation, Sample, User
from samples.models.acyclic import MESSAGE
from samples.services.deriving import rederive


@transaction.atomic
def add_ingredient(*, into: Sample, sample: Sample) -> Ingredient:
    """`sample` goes into `into`; a weighing that is planned for it and not done yet is taken up.

    Raises ValidationError with a sentence when a sample would be made from itself.
    """
    if into.voided_at is not None:
        raise ValidationError(f"{into.code} is void; nothing goes into it.")
    if into.material_id is not None and into.preparation_id is None:
        raise ValidationError(f"{into.code} is a lot as it was bought; nothing is weighed into it.")
    row = Sample.objects.select_for_update(of=("self",)).get(pk=into.pk)
    if row.preparation_id is None:
        row.preparation = Preparation.objects.create(project=into.project)
        row.save(update_fields=["preparation"])
    waiting = Ingredient.objects.filter(preparation=row.preparation_id, mass_g=None)
    own = Q(sample=sample)
    if sample.material_id is not None:
        own |= Q(sample=None, material=sample.material_id)
    planned = waiting.filter(own).order_by("sample").first()
    ingredient = planned or Ingredient(preparation_id=row.preparation_id)
    ingredient.sample, ingredient.material = sample, None
    try:
        with transaction.atomic():
            ingredient.save()
    except IntegrityError as error:
        if MESSAGE not in str(error):
            raise
        raise ValidationError(
            f"{sample.code} is made from {into.code}, or is the same; "
            f"so {into.code} cannot be made from {sample.code}."
        ) from None
    rederive([row])
    return ingredient


def visible_ingredients(user: User) -> QuerySet[Ingredient]:
    """Of preparations that the user may see, without those whose source is hidden."""
    rows = Ingredient.objects.filter(preparation__in=Preparation.objects.visible_to(user))
    seen = Sample.objects.visible_to(user)
    return rows.filter(Q(sample=None) | Q(sample__in=seen))
