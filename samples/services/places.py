"""The tree of places: room → cabinet → box → slot. A path is kept right whenever a name above it changes."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from samples.models import Location, Project

RANK = {"room": 0, "cabinet": 1, "box": 2, "slot": 3}
SEPARATOR = " / "
MOST_SLOTS = 400


@transaction.atomic
def create_place(*, project: Project, kind: str, name: str, parent: Location | None = None) -> Location:
    _one_at_a_time(project, parent)
    place = Location(project=project, kind=kind, name=_name(name), parent=parent)
    _check_parent(place, parent)
    place.path = _path(place)
    place.full_clean()
    place.save()
    return place


@transaction.atomic
def create_slots(*, box: Location, rows: int, columns: int) -> list[Location]:
    """A1 … for a box of `rows` (letters) by `columns` (numbers); those that are there already stay."""
    if not (1 <= rows <= 26 and columns >= 1 and rows * columns <= MOST_SLOTS):
        raise ValidationError(f"A box has 1 to 26 rows and at most {MOST_SLOTS} slots.")
    if box.kind != "box":
        raise ValidationError("Only a box has slots.")
    _one_at_a_time(box.project, box)
    there = set(box.children.values_list("name", flat=True))
    names = [f"{chr(ord('A') + row)}{column + 1}" for row in range(rows) for column in range(columns)]
    return Location.objects.bulk_create(
        Location(project=box.project, parent=box, kind="slot", name=name, path=f"{box.path}{SEPARATOR}{name}")
        for name in names
        if name not in there
    )


@transaction.atomic
def rename_place(place: Location, name: str) -> Location:
    _one_at_a_time(place.project, place)
    place.name = _name(name)
    return _settle(place)


@transaction.atomic
def move_place(place: Location, parent: Location | None) -> Location:
    """With everything in it."""
    _one_at_a_time(place.project, place, parent)
    _check_parent(place, parent)
    above = parent
    while above is not None:
        if above.pk == place.pk:
            raise ValidationError(f"{place.name} cannot stand in itself.")
        above = above.parent
    place.parent = parent
    return _settle(place)


def _settle(place: Location) -> Location:
    place.path = _path(place)
    place.full_clean()
    place.save()
    level = [place]
    while level:
        below = list(Location.objects.filter(parent__in=level).select_related("parent"))
        for child in below:
            child.path = _path(child)
            _check_length(child)
        Location.objects.bulk_update(below, ["path"])
        level = below
    return place


def _path(place: Location) -> str:
    return f"{place.parent.path}{SEPARATOR}{place.name}" if place.parent else place.name


def _check_length(place: Location) -> None:
    longest = Location._meta.get_field("path").max_length or 0
    if len(place.path) > longest:
        raise ValidationError(f"The names down to {place.name} are too long together; shorten one.")


def _check_parent(place: Location, parent: Location | None) -> None:
    if place.kind not in RANK:
        raise ValidationError("A place is a room, a cabinet, a box or a slot.")
    if parent is None:
        if place.kind != "room":
            raise ValidationError(f"A {place.kind} stands in something; choose where.")
        return
    if parent.project_id != place.project_id:
        raise ValidationError("That place belongs to another project; choose one of this project.")
    if RANK[parent.kind] >= RANK[place.kind]:
        raise ValidationError(f"A {place.kind} does not stand in a {parent.kind}.")


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise ValidationError("Give the place a name.")
    if not plain.isprintable():
        raise ValidationError("The name hides a character that cannot be printed; type it again by hand.")
    return plain


def _one_at_a_time(project: Project, *places: Location | None) -> None:
    """Two people who rename at once would each write paths under the other's old name, and undo what changed
    since `places` were fetched."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    for place in places:
        if place is not None:
            place.refresh_from_db()
