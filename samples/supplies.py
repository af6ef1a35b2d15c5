"""What runs out and what goes off: questions about lots, and about materials over all their lots."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from samples.models import Lot, Material, Project, User
from samples.querysets import hidden_from

SOON = timedelta(days=30)


def with_stock(materials: QuerySet[Material], user: User) -> QuerySet[Material]:
    """Each material with `left_g` over all its samples that are known, and how many are not. Counts only what
    `user` may see."""
    kept = Q(samples__voided_at=None, samples__planned=False)
    seen = Q(samples__project__in=Project.objects.visible_to(user)) & ~Q(samples__in=hidden_from(user))
    return materials.annotate(
        left_g=Sum("samples__mass_left_g", filter=kept & seen),
        bottles=Count("samples", filter=kept & seen),
        unknown_bottles=Count("samples", filter=kept & seen & Q(samples__mass_left_g=None)),
    )


def running_low(materials: QuerySet[Material], user: User) -> QuerySet[Material]:
    """Below their minimum. Bottles with an unknown amount are no stock one can count on."""
    stocked = with_stock(materials.filter(minimum_stock_g__isnull=False), user)
    return stocked.filter(Q(left_g__lt=F("minimum_stock_g")) | Q(left_g=None)).order_by("name")


def expiring(lots: QuerySet[Lot], today: date | None = None) -> QuerySet[Lot]:
    """Expired or about to, as long as something is left."""
    today = today or timezone.localdate()
    in_use = lots.filter(sample__voided_at=None).exclude(sample__mass_left_g=0)
    return in_use.filter(expires_on__lte=today + SOON).order_by("expires_on", "pk")


def is_expired(lot: Lot, today: date | None = None) -> bool:
    return lot.expires_on is not None and lot.expires_on < (today or timezone.localdate())
