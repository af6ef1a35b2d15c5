from __future__ import annotations

from django.db import models
from django.db.models import Q

from samples.models.audit import audited
from samples.models.people import Project
from samples.querysets import OfProject


@audited
class Location(models.Model):
    """A place for samples: a room holds cabinets, a cabinet boxes, a box slots; a slot holds one thing."""

    class Kind(models.TextChoices):
        ROOM = "room", "Room"
        CABINET = "cabinet", "Cabinet"
        BOX = "box", "Box"
        SLOT = "slot", "Slot"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="locations")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=60)
    path = models.CharField(
        max_length=300, editable=False, help_text="Names from the room down, kept by samples.services."
    )

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(
                name="location_name_once_in_its_parent",
                fields=["project", "parent", "name"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="location_name_not_empty", condition=~Q(name="")),
            models.CheckConstraint(
                name="location_kind_known", condition=Q(kind__in=["room", "cabinet", "box", "slot"])
            ),
            models.CheckConstraint(
                name="location_only_a_room_stands_alone",
                condition=Q(kind="room", parent=None) | Q(parent__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.path
