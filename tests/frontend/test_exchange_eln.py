"""The .eln archive: an independent library reads it, raw files come back whole, strangers' tricks do not."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from rocrate.rocrate import ROCrate

from analysis import services
from analysis.models import Artifact, Run, RunInput, Value
from frontend.exchange import eln_reading, eln_writing
from measurements.models import Attachment, Dataset, Measurement, RawFile
from measurements.services import Subject, attach, attach_log
from samples.exchange import FileError, Outcome
from samples.exchange.exporting import extent
from samples.models import Ingredient, Material, Preparation, Project, Recipe, Sample, User
from samples.services import performing
from tests.analysis.conftest import Measured, measured
from tests.measurements.test_attachments import log_text

__all__ = ["measured"]  # the fixture of the analysis tests
pytestmark = pytest.mark.django_db
PHOTO = b"\x89PNG\r\n\x1a\n and the rest"


@pytest.fixture
def archive(measured: Measured, alice: User, project: Project, composite: Sample) -> bytes:
    run, _ = services.request_run(measured(), "pl_gaussians")
    services.execute(run.pk)
    attach(
        user=alice,
        subject=Subject(sample=composite),
        name="../pellet.png",
        stream=io.BytesIO(PHOTO),
        note="n",
    )
    return eln_writing.write(extent(alice, project)).read()


def bring(user: User, project: Project, content: bytes, *, dry_run: bool = False) -> Outcome:
    stream = io.BytesIO(content)
    return eln_reading.bring_in(
        user=user, project=project, stream=stream, filename="x.eln", size=len(content), dry_run=dry_run
    )


def emptied() -> None:
    with pgtrigger.ignore():
        for model in (Value, Artifact, RunInput, Run, Dataset, RawFile, Attachment, Measurement, Ingredient):
            model._default_manager.all().delete()
        for model in (Sample, Preparation, Recipe, Material):
            model._default_manager.all().delete()


def changed(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The archive with other bytes in some of its files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for one in old.infolist():
            bytes_ = change(one.filename, old.read(one))
            if bytes_ is not None:
                new.writestr(one.filename, bytes_)
    return stream.getvalue()


def test_an_independent_library_reads_samples_files_hashes_values_and_runs(
    archive: bytes, tmp_path: Path
) -> None:
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    crate = ROCrate(str(tmp_path / "glass"))
    assert crate.name == "Glass composites"
    sample = crate.dereference("./samples/VT-GLASS/")
    assert sample is not None
    assert sample["identifier"] == "VT-GLASS"
    parts = [str(part.id).removeprefix("./") for part in sample["hasPart"]]
    assert "samples/VT-GLASS/measurement-1/" in parts
    hashed = [entity for entity in crate.get_entities() if entity.get("sha256")]
    assert len(hashed) == 2
    for entity in hashed:
        content = (tmp_path / "glass" / entity.id).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entity["sha256"]
    values = crate.get_by_type("PropertyValue")
    assert "pl_peak_center" in {value["propertyID"] for value in values}
    action = crate.get_by_type("CreateAction")[0]
    assert action["instrument"]["name"] == "pl_gaussians"
    assert action["object"]
    assert action["result"]


def test_every_file_that_is_named_is_there(archive: bytes) -> None:
    packed = zipfile.ZipFile(io.BytesIO(archive))
    graph = json.loads(packed.read("glass/ro-crate-metadata.json"))["@graph"]
    named = {e["@id"].removeprefix("./") for e in graph if e["@type"] == "File"}
    held = {name.removeprefix("glass/") for name in packed.namelist()} - {"ro-crate-metadata.json"}
    assert named == held
    known = {entity["@id"] for entity in graph}
    linked = {part["@id"] for entity in graph for part in entity.get("hasPart", [])}
    assert linked <= known


def test_raw_files_and_attachments_come_back_with_their_bytes(
    archive: bytes, alice: User, project: Project
) -> None:
    told = ("filename", "blob__sha256", "measurement__sample__code")
    before = RawFile.objects.values_list(*told).get()
    emptied()
    outcome = bring(alice, project, archive)
    assert outcome.saved, outcome.problems
    assert outcome.counts["raw files"] == 1
    assert (
        RawFile.objects.values_list("filename", "blob__sha256", "measurement__sample__code").get() == before
    )
    photo = Attachment.objects.get()
    assert (photo.filename, photo.note, photo.sample and photo.sample.code) == (
        "../pellet.png",
        "n",
        "VT-GLASS",
    )
    assert photo.media_type == "image/png"


def test_a_dry_run_of_an_archive_saves_nothing(archive: bytes, alice: User, project: Project) -> None:
    emptied()
    outcome = bring(alice, project, archive, dry_run=True)
    assert outcome.problems == []
    assert outcome.counts["samples"] == 1
    assert not Sample.objects.exists()
    assert not Measurement.objects.exists()


def test_bytes_that_are_not_those_of_their_hash_keep_everything_out(
    archive: bytes, alice: User, project: Project
) -> None:
    emptied()

    def spoil(name: str, content: bytes) -> bytes:
        return content + b" " if "measurement-1" in name else content

    outcome = bring(alice, project, changed(archive, spoil))
    assert "not those of its SHA-256" in outcome.problems[0].message
    assert not Sample.objects.exists()


def test_a_measurement_that_cannot_be_received_takes_the_samples_back(
    archive: bytes, alice: User, project: Project
) -> None:
    emptied()

    def misname(name: str, content: bytes) -> bytes:
        if not name.endswith("vitrine.json"):
            return content
        manifest = json.loads(content)
        manifest["measurements"][0]["sample"] = "NOBODY"
        return json.dumps(manifest).encode()

    outcome = bring(alice, project, changed(archive, misname))
    assert "is no sample of the archive" in outcome.problems[0].message
    assert not Sample.objects.exists()


def furnace_log(user: User, preparation: Preparation | None) -> tuple[dict[str, Any], bytes]:
    """What the log of a sintering was found to say, and its preview."""
    assert preparation is not None
    performing.perform(user=user, preparation=preparation, key="sintering-2", said={}, at=None)
    stream = io.BytesIO(log_text())
    row = attach_log(user=user, preparation=preparation, step="sintering-2", name="log.txt", stream=stream)
    return row.reading, bytes(row.preview or b"")


def retold(content: bytes, **lies: Any) -> bytes:
    """The archive with other words about its only attachment."""

    def retell(name: str, content: bytes) -> bytes:
        if not name.endswith("vitrine.json"):
            return content
        manifest = json.loads(content)
        manifest["attachments"][0] |= lies
        return json.dumps(manifest).encode()

    return changed(content, retell)


@pytest.mark.parametrize("preview", ["YWJj", "AADAfwAAwH8=", ""])
def test_what_an_archive_says_of_a_furnace_log_is_read_anew_from_the_log(
    preview: str, alice: User, project: Project, composite: Sample
) -> None:
    before = furnace_log(alice, composite.preparation)
    archive = eln_writing.write(extent(alice, project)).read()
    emptied()
    outcome = bring(
        alice, project, retold(archive, reading={"peak_c": "hot", "warnings": 7}, preview=preview)
    )
    assert outcome.saved, outcome.problems
    row = Attachment.objects.get()
    assert (row.reading, bytes(row.preview or b"")) == before


def test_a_furnace_log_that_is_none_keeps_everything_out(
    alice: User, project: Project, composite: Sample
) -> None:
    subject = Subject(preparation=composite.preparation, step="sintering-2")
    attach(user=alice, subject=subject, name="log.txt", stream=io.BytesIO(b"no log"), kind="furnace_log")
    archive = eln_writing.write(extent(alice, project)).read()
    emptied()
    outcome = bring(alice, project, retold(archive, reading={"peak_c": 281}))
    assert [problem.sheet for problem in outcome.problems] == ["attachments"]
    assert outcome.problems[0].message.endswith("Nothing was saved.")
    assert not Sample.objects.exists()


def test_an_attachment_of_nothing_nameable_keeps_everything_out(
    archive: bytes, alice: User, project: Project
) -> None:
    emptied()
    outcome = bring(alice, project, retold(archive, sample=["VT-GLASS"]))
    assert "Name the sample or the preparation" in outcome.problems[0].message
    assert not Sample.objects.exists()


def crafted(**members: Any) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def linked() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("passwd")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (crafted(**{"../../etc/cron.d/x": b"x"}), "leaves the archive"),
        (crafted(**{"/etc/passwd": b"x"}), "leaves the archive"),
        (crafted(**{"a\\..\\b": b"x"}), "leaves the archive"),
        (linked(), "holds a link"),
        (crafted(bomb=b"0" * 80 * 1024**2), "would expand to"),
        (crafted(readme=b"x"), "has no ro-crate-metadata.json"),
        (crafted(**{"ro-crate-metadata.json": b"["}), "is not JSON"),
        (crafted(**{"ro-crate-metadata.json": b"{}"}), "no @graph"),
        (crafted(**{"ro-crate-metadata.json": b'{"@graph": []}'}), "of another program"),
        (
            crafted(
                **{"ro-crate-metadata.json": b'{"@graph": []}', "vitrine.json": b'{"measurements": [1]}'}
            ),
            "not as exported",
        ),
        (b"PK\x03\x04", "no archive, or damaged"),
    ],
)
def test_an_archive_that_means_harm_or_nothing_is_refused(
    content: bytes, says: str, alice: User, project: Project
) -> None:
    with pytest.raises(FileError, match=says):
        bring(alice, project, content)


def test_what_is_under_an_embargo_is_in_no_archive(archive: bytes, bob: User, project: Project) -> None:
    Sample.objects.update(embargoed_until="2999-01-01")
    names = zipfile.ZipFile(io.BytesIO(eln_writing.write(extent(bob, project)).read())).namelist()
    assert [name for name in names if "VT-GLASS" in name or "pellet" in name] == []


def test_the_archive_tells_the_provenance_of_its_values_in_w3c_prov(
    measured: Measured, alice: User, project: Project, composite: Sample
) -> None:
    measurement = measured()
    run, _ = services.request_run(measurement, "pl_gaussians")
    services.execute(run.pk)
    content = eln_writing.write(extent(alice, project)).read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = json.loads(archive.read(f"{project.slug}/provenance.json"))
    assert {f"vitrine:value-{value.pk}" for value in run.values.all()} <= set(told["entity"])
    assert f"sha256:{measurement.files.get().blob.sha256}" in told["entity"]
    assert told["activity"][f"vitrine:run-{run.identity}"]["vitrine:method"] == "pl_gaussians"
