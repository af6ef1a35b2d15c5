"""Taking the demo away again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import pgtrigger
from django.db import transaction
from django.db.models import Exists, OuterRef, ProtectedError, Q, RestrictedError

from analysis.models import (
    Artifact,
    Calibration,
    Conflict,
    Publication,
    Reanalysis,
    Review,
    Run,
    RunInput,
    Value,
    ValueInput,
)
from frontend.demo.campaign import load
from frontend.demo.loading import DemoError, demo_project, marker, password_file
from frontend.demo.rows import SIMULATION
from frontend.demo.sending import USERNAME
from measurements.models import (
    Attachment,
    Batch,
    BatchFile,
    Blob,
    Dataset,
    Decision,
    InboxRule,
    Instrument,
    Measurement,
    RawFile,
)
from measurements.store import store
from samples.models import (
    Design,
    Exposure,
    Location,
    Material,
    Preparation,
    Project,
    Recipe,
    Sample,
    StockEntry,
    User,
)
from samples.models.freezing import FREEZING_TRIGGERS


def contents(project: Project) -> str:
    """What would go, counted, in words."""
    own = {sample.code for sample in load().samples}
    samples = Sample.objects.filter(project=project)
    added = samples.exclude(code__in=own).count()
    measurements = Measurement.objects.filter(project=project).count()
    people = (
        project.memberships.filter(user__instrument__isnull=True).exclude(user__username=USERNAME).count()
    )
    counted = f"{samples.count()} samples with {measurements} measurements and everything computed from them"
    if added:
        counted += f", {added} of the samples added by people"
    if people:
        counted += f"; {people} other people lose their access to it"
    return counted


def remove_demo() -> bool:
    """Delete the demo project with all it holds; False when there is none. Other projects are not touched."""
    project = demo_project()
    marker().touch()
    if project is None:
        return False
    try:
        unused = _delete_rows(project)
    except (ProtectedError, RestrictedError) as error:
        used = ", ".join(sorted({str(row) for row in error.args[1]})[:3])
        raise DemoError(
            f"Something outside the demo is made of it ({used}), so nothing was removed. Remove that first."
        ) from error
    _delete_bytes(unused)
    password_file().unlink(missing_ok=True)
    return True


@transaction.atomic
def _delete_rows(project: Project) -> list[str]:
    """Returns the hashes that no row names any more."""
    measurements = Measurement.objects.filter(project=project)
    samples = Sample.objects.filter(project=project)
    attachments = Attachment.objects.filter(Q(sample__in=samples) | Q(preparation__project=project))
    batches = Batch.objects.filter(project=project)
    used = _used_by(measurements) | Q(attachments__in=attachments)
    used |= Q(manifests__in=batches) | Q(batch_files__batch__in=batches)
    used |= _drawn_over(project)
    blobs = set(Blob.objects.filter(used).values_list("pk", flat=True))
    attachments.delete()
    Exposure.objects.filter(sample__in=samples).delete()
    StockEntry.objects.filter(sample__in=samples).delete()
    _delete_analyses(project)
    Dataset.objects.filter(measurement__in=measurements).delete()
    RawFile.objects.filter(measurement__in=measurements).delete()
    BatchFile.objects.filter(batch__in=batches).delete()
    batches.delete()
    Decision.objects.filter(measurement__in=measurements).delete()
    InboxRule.objects.filter(project=project).delete()
    measurements.delete()
    accounts = list(User.objects.filter(instrument__project=project))
    Instrument.objects.filter(project=project).delete()
    _delete_samples(project)
    Design.objects.filter(project=project).delete()
    _delete_places(project)
    with pgtrigger.ignore(*FREEZING_TRIGGERS):
        Recipe.objects.filter(project=project).delete()
    Material.objects.filter(project=project).delete()
    project.delete()
    _delete_users([*accounts, *User.objects.filter(username=USERNAME)])
    cited = Value.objects.filter(publication=OuterRef("pk"))
    Publication.objects.filter(
        ~Exists(cited), conflicts=None, key__in=[*load().publications, SIMULATION]
    ).delete()
    return _delete_unused(blobs)


def _delete_analyses(project: Project) -> None:
    """What was concluded before what it was concluded from."""

    def of(what: str = "") -> Q:
        paths = ("measurement__project", "sample__project", "project")
        return Q(*((f"{what}{path}", project) for path in paths), _connector=Q.OR)

    Conflict.objects.filter(project=project).delete()
    Review.objects.filter(of("value__")).delete()
    ValueInput.objects.filter(of("run__") | of("value__")).delete()
    Value.objects.filter(of()).delete()
    Artifact.objects.filter(of("run__")).delete()
    RunInput.objects.filter(of("run__")).delete()
    Run.objects.filter(of()).update(supersedes=None, verifies=None)
    Run.objects.filter(of()).delete()
    Reanalysis.objects.filter(project=project).delete()
    Calibration.objects.filter(project=project).delete()


def _used_by(measurements: object) -> Q:
    return (
        Q(files__measurement__in=measurements)
        | Q(datasets__measurement__in=measurements)
        | Q(artifacts__run__measurement__in=measurements)
    )


def _drawn_over(project: Project) -> Q:
    """Curves of runs over values."""
    return Q(artifacts__run__sample__project=project) | Q(artifacts__run__project=project)


def _delete_samples(project: Project) -> None:
    """Children before parents: a weigh-out protects the sample that it was taken from."""
    preparations = Preparation.objects.filter(project=project)
    while True:
        leaves = Sample.objects.filter(project=project, uses__isnull=True)
        made = list(leaves.exclude(preparation=None).values_list("preparation", flat=True))
        if not leaves.exists():
            break
        leaves.delete()
        preparations.filter(pk__in=made, samples__isnull=True).delete()
    preparations.filter(samples__isnull=True).delete()
    Sample.objects.filter(project=project).delete()


def _delete_places(project: Project) -> None:
    """Slots before boxes before rooms."""
    places = Location.objects.filter(project=project)
    while (innermost := places.filter(children__isnull=True)).exists():
        innermost.delete()


def _delete_users(users: Iterable[User]) -> None:
    for user in users:
        try:
            with transaction.atomic():
                user.delete()
        except ProtectedError:  # numbers that it entered elsewhere stay, with the name of who entered them
            user.is_active = False
            user.save(update_fields=["is_active"])


def _delete_unused(blobs: set[int]) -> list[str]:
    unused = Blob.objects.filter(
        pk__in=blobs,
        files__isnull=True,
        datasets__isnull=True,
        artifacts__isnull=True,
        attachments__isnull=True,
        manifests__isnull=True,
        batch_files__isnull=True,
    )
    hashes = list(unused.values_list("sha256", flat=True))
    Blob.objects.filter(sha256__in=hashes).delete()
    return hashes


def _delete_bytes(hashes: Iterable[str]) -> None:
    """After the commit: a crash in between leaves bytes without a row, never a row without bytes."""
    for sha256 in hashes:
        # Looked up again, because somebody may have sent the same bytes since.
        if not Blob.objects.filter(sha256=sha256).exists():
            store().remove(sha256)
