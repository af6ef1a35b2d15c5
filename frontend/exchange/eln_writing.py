"""A project as `.eln`: an RO-Crate in a zip, with its tables, raw files, attachments and values.

The tables carry what was made and are what an import reads; the graph in `ro-crate-metadata.json` says the
same to others: a Dataset per sample and per measurement, a File with its SHA-256 per raw file, a
PropertyValue per current value, a CreateAction per run that gave values. `provenance.json` says in W3C PROV
how each value came to be, down to readers, libraries and calibrations.
"""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, BinaryIO

import orjson
from django.utils import timezone

from analysis.models import Run, Value
from analysis.prov_json import document
from measurements.models import Attachment, Measurement
from measurements.store import store
from samples.exchange.exporting import Extent, Written, export
from samples.exchange.writing import as_csv, member
from samples.models import Sample

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
VITRINE = {"@id": "#vitrine", "@type": "SoftwareApplication", "name": "Vitrine"}
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
CHUNK_BYTES = 1 << 20
VERSION = 1
Entity = dict[str, Any]


def write(of: Extent, table: str = "") -> BinaryIO:
    """The archive as an open temporary file; raw files are copied through, never held in memory."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115  the answer closes it
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        Archive(of, archive).write()
    stream.seek(0)
    return stream


class Archive:
    def __init__(self, of: Extent, archive: zipfile.ZipFile) -> None:
        self.of, self.archive = of, archive
        self.folder = f"{of.project.slug}/"
        self.graph: list[Entity] = []
        self.parts: list[str] = []
        self.manifest: dict[str, Any] = {"vitrine": VERSION, "measurements": [], "attachments": []}
        self.parts_of_sample: dict[int, list[str]] = defaultdict(list)

    def write(self) -> None:
        exported = export(self.of)
        self._tables(exported)
        samples = list(self.of.samples.order_by("code"))
        runs = self._values(samples)
        self._measurements(samples)
        self._attachments(samples, exported)
        self._runs(runs)
        for sample in samples:
            self._sample(sample)
        self._file(
            "vitrine.json", orjson.dumps(self.manifest, option=orjson.OPT_INDENT_2), "application/json"
        )
        self._metadata()

    def _tables(self, exported: Iterable[Written]) -> None:
        for table in exported:
            self._file(f"tables/{table.table.name}.csv", as_csv(table), "text/csv", table.table.help)

    def _file(self, path: str, content: bytes, media_type: str, about: str = "") -> None:
        self.archive.writestr(member(self.folder + path), content)
        self.parts.append(path)
        self.graph.append(_file_entity(path, path.rpartition("/")[2], len(content), media_type, about))

    def _blob(self, path: str, filename: str, sha256: str, size: int) -> Entity:
        info = member(self.folder + path)
        with store().open(sha256) as source, self.archive.open(info, "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target, CHUNK_BYTES)
        entity = _file_entity(path, filename, size, "application/octet-stream")
        entity["sha256"] = sha256
        self.graph.append(entity)
        return entity

    def _sample(self, sample: Sample) -> None:
        about = {"code": sample.code, "notation": sample.notation, "state": sample.state}
        path = f"samples/{sample.code}/"
        self.archive.writestr(member(f"{self.folder}{path}sample.json"), orjson.dumps(about))
        self.graph.append(_file_entity(f"{path}sample.json", "sample.json", 0, "application/json"))
        entity = {
            "@id": f"./{path}",
            "@type": "Dataset",
            "name": sample.code,
            "identifier": sample.code,
            "description": sample.notation or sample.name,
            "hasPart": [{"@id": f"./{path}sample.json"}, *_links(self.parts_of_sample[sample.pk])],
            "variableMeasured": _links(self.values_of.get(sample.pk, [])),
        }
        if sample.made_at:
            entity["dateCreated"] = sample.made_at.isoformat()
        self.graph.append(entity)
        self.parts.append(path)

    def _measurements(self, samples: list[Sample]) -> None:
        rows = (
            Measurement.objects.visible_to(self.of.user)
            .filter(sample__in=samples)
            .exclude(status=Measurement.Status.VOID)
            .select_related("sample", "instrument")
            .prefetch_related("files__blob")
            .order_by("sample__code", "pk")
        )
        for number, row in enumerate(rows, start=1):
            folder = f"samples/{row.sample.code}/measurement-{number}/"
            files = []
            for place, raw in enumerate(row.files.all(), start=1):
                path = f"{folder}{place}-{_safe(raw.filename)}"
                self._blob(path, raw.filename, raw.blob.sha256, raw.blob.size)
                self.files_of[row.pk].append(path)
                files.append(
                    {"path": path, "filename": raw.filename, "role": raw.role, "sha256": raw.blob.sha256}
                )
            self.manifest["measurements"].append(
                {
                    "sample": row.sample.code,
                    "technique": row.technique,
                    "origin": row.origin,
                    "acquired_at": row.acquired_at,
                    "conditions": row.conditions,
                    "instrument": row.instrument.name if row.instrument else None,
                    "files": files,
                }
            )
            self.graph.append(
                {
                    "@id": f"./{folder}",
                    "@type": "Dataset",
                    "name": f"{row.get_technique_display()} of {row.sample.code}",
                    "measurementTechnique": row.get_technique_display(),
                    "hasPart": _links(file["path"] for file in files),
                    **({"dateCreated": row.acquired_at.isoformat()} if row.acquired_at else {}),
                }
            )
            self.parts_of_sample[row.sample_id].append(folder)

    def _attachments(self, samples: list[Sample], exported: list[Written]) -> None:
        labels = {sample.preparation_id: sample.code for sample in reversed(samples)}
        rows = Attachment.objects.visible_to(self.of.user).in_use().select_related("blob", "sample")
        chosen = rows.filter(sample__in=samples) | rows.filter(preparation__in=set(labels) - {None})
        for number, row in enumerate(chosen.order_by("pk"), start=1):
            path = f"attachments/{number}-{_safe(row.filename)}"
            self._blob(path, row.filename, row.blob.sha256, row.blob.size)
            self.parts.append(path)
            self.manifest["attachments"].append(
                {
                    "path": path,
                    "filename": row.filename,
                    "sha256": row.blob.sha256,
                    "kind": row.kind,
                    "note": row.note,
                    "sample": row.sample.code if row.sample else None,
                    "preparation": f"P-{labels[row.preparation_id]}" if row.preparation_id else None,
                    "step": f"{row.step_kind}-{row.step_order}" if row.step_kind else "",
                    "reading": row.reading,
                    "preview": base64.b64encode(row.preview).decode() if row.preview else None,
                }
            )

    def _values(self, samples: list[Sample]) -> list[Run]:
        """Every current value as an entity; what gave it is named by its run, publication or person."""
        self.files_of: dict[int, list[str]] = defaultdict(list)
        self.values_of: dict[int, list[str]] = defaultdict(list)
        self.values_of_run: dict[int, list[str]] = defaultdict(list)
        runs: dict[int, Run] = {}
        values = Value.objects.visible_to(self.of.user).filter(sample__in=samples, current=True)
        for number, value in enumerate(
            values.select_related("run", "publication", "entered_by").order_by("sample__code", "pk"), start=1
        ):
            key = f"#value-{number}"
            self.values_of[value.sample_id].append(key)
            if value.run is not None:
                runs[value.run.pk] = value.run
                self.values_of_run[value.run.pk].append(key)
            self.graph.append(_value(key, value))
        self._provenance(values)
        return list(runs.values())

    def _provenance(self, values: Iterable[Value]) -> None:
        told = orjson.dumps(document(values, self.of.user, history=False), option=orjson.OPT_INDENT_2)
        self._file(
            "provenance.json", told, "application/json", "How every value came to be, as W3C PROV-JSON."
        )

    def _runs(self, runs: list[Run]) -> None:
        for run in runs:
            method = {
                "@id": f"#method-{run.method}-{run.method_version}",
                "@type": "SoftwareApplication",
                "name": run.method,
                "softwareVersion": str(run.method_version),
            }
            if method not in self.graph:
                self.graph.append(method)
            action = {
                "@id": f"#run-{run.identity}",
                "@type": "CreateAction",
                "name": f"{run.method} {run.method_version}",
                "description": orjson.dumps(run.params).decode(),
                "instrument": {"@id": method["@id"]},
                "object": _links(self.files_of[run.measurement_id]),
                "result": _links(self.values_of_run[run.pk]),
            }
            if run.started_at:
                action["startTime"] = run.started_at.isoformat()
            if run.finished_at:
                action["endTime"] = run.finished_at.isoformat()
            self.graph.append(action)

    def _metadata(self) -> None:
        project = self.of.project
        root = {
            "@id": "./",
            "@type": "Dataset",
            "name": project.name,
            "description": project.description or f"The project {project.name} of Vitrine.",
            "datePublished": timezone.now().isoformat(),
            "license": "Not stated; ask the people of the project.",
            "hasPart": _links(self.parts),
            "mentions": [{"@id": e["@id"]} for e in self.graph if e["@type"] == "CreateAction"],
        }
        about = {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": PROFILE},
            "sdPublisher": {"@id": VITRINE["@id"]},
            "version": str(VERSION),
        }
        document = {"@context": CONTEXT, "@graph": [about, root, VITRINE, *self.graph]}
        content = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        self.archive.writestr(member(f"{self.folder}ro-crate-metadata.json"), content)


def _value(key: str, value: Value) -> Entity:
    entity: Entity = {
        "@id": key,
        "@type": "PropertyValue",
        "propertyID": value.property,
        "name": " ".join(filter(None, [value.property, value.component])),
        "value": value.value if value.value is not None else value.text,
        "unitText": value.unit,
        "description": f"{value.get_origin_display()}. {value.note}".strip(),
    }
    if value.sigma is not None:
        entity["marginOfError"] = value.sigma
    if value.publication is not None:
        entity["citation"] = value.publication.doi or value.publication.title
    if value.run is not None:
        entity["measurementTechnique"] = f"{value.run.method} {value.run.method_version}"
    return entity


def _file_entity(path: str, name: str, size: int, media_type: str, about: str = "") -> Entity:
    entity: Entity = {"@id": f"./{path}", "@type": "File", "name": name, "encodingFormat": media_type}
    if size:
        entity["contentSize"] = str(size)
    if about:
        entity["description"] = about
    return entity


def _links(paths: Iterable[str]) -> list[dict[str, str]]:
    return [{"@id": path if path.startswith("#") else f"./{path}"} for path in paths]


def _safe(filename: str) -> str:
    """A name for the archive; the name as it was sent stands beside it."""
    return UNSAFE.sub("_", filename).strip("._")[-80:] or "file"
