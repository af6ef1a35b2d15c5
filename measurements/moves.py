"""What a sample's history tells of its measurements: which came, which went, who decided it and why."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model, Q

from measurements.models import Decision, InboxRule, Measurement, Quota
from samples import history
from samples.history import Change, Entry
from samples.models import Project, Sample, User

IN_THE_INBOX = "the inbox"
HIDDEN = "not visible to you"


def connect() -> None:
    history.TELLERS.append(of_sample)
    history.keep(InboxRule, noun="inbox-rules", of=Project)
    history.keep(Quota, of=Project)


def of_sample(thing: Model, user: User) -> Iterator[Entry]:
    """Measurements that were put to it or taken from it."""
    if not isinstance(thing, Sample):
        return
    concerned = Decision.objects.filter(Q(from_sample=thing) | Q(to_sample=thing))
    rows = list(concerned.select_related("by", "rule").order_by("-pk")[: history.MOST_EVENTS])
    codes = codes_seen(rows, user)
    seen = Measurement.objects.visible_to(user).filter(pk__in=[row.measurement_id for row in rows])
    names = {m.pk: f"{m.get_technique_display()} {m.pk}" for m in seen}
    for row in rows:
        yield Entry(
            at=row.at,
            action="update",
            kind="measurement",
            of=names.get(row.measurement_id, ""),
            by=row.by.username if row.by else None,
            via=f"rule {row.rule}" if row.rule else "",
            reason=row.reason,
            changes=[Change("sample", "sample", "", said(row, "from", codes), said(row, "to", codes))],
        )


def codes_seen(rows: list[Decision], user: User) -> dict[int, str]:
    wanted = {key for row in rows for key in (row.from_sample_id, row.to_sample_id) if key is not None}
    seen = Sample.objects.visible_to(user).filter(pk__in=wanted)
    return dict(seen.values_list("pk", "code"))


def said(row: Decision, side: str, codes: dict[int, str]) -> str:
    key = row.from_sample_id if side == "from" else row.to_sample_id
    return IN_THE_INBOX if key is None else codes.get(key, HIDDEN)
