"""From any value back to the bytes, for people, programs and W3C PROV."""

from __future__ import annotations

import hashlib
import io
import json
import math
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from prov.model import ProvDerivation, ProvDocument, ProvEntity
from prov.serializers.provjson import ProvJSONSerializer
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Run, Value
from analysis.prov_json import document
from analysis.provenance import provenance
from analysis.services.literature import enter_published, find_or_add_publication
from analysis.services.verifying import verify
from measurements.store import store
from samples.models import Membership, Project, Role, Sample, User
from tests.analysis.conftest import Measured
from tests.conftest import person

METHOD = "pl_gaussians"


@pytest.fixture
def fitted(measured: Measured) -> Run:
    return fit(measured)


def fit(measured: Measured, **params: Any) -> Run:
    run, _ = services.request_run(measured(), METHOD, params)
    services.execute(run.pk)
    run.refresh_from_db()
    return run


def peak(run: Run) -> Value:
    return run.values.get(property="pl_peak_center", component="I")


def prov_of(value: Value, user: User) -> ProvDocument:
    """As an independent library reads it."""
    return ProvJSONSerializer().deserialize(io.StringIO(json.dumps(document([value], user))))


def derived(prov: ProvDocument, kind: str) -> list[tuple[str, str]]:
    """(what, from what) of the derivations of this type."""
    return [
        (row.args[0].localpart, row.args[1].localpart)
        for row in prov.get_records(ProvDerivation)
        if kind in {str(each) for each in row.get_attribute("prov:type")}
    ]


def test_the_chain_ends_at_the_bytes_that_were_uploaded(fitted: Run, alice: User) -> None:
    told = provenance(peak(fitted), alice)
    (given,) = told["run"]["inputs"]
    (file,) = given["files"]
    with store().open(file["sha256"]) as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == file["sha256"]
    with store().open(given["dataset_sha256"]) as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == given["dataset_sha256"]
    assert (told["run"]["method"], told["run"]["method_version"]) == (METHOD, fitted.method_version)
    assert told["run"]["libraries"]["numpy"]
    assert told["run"]["params"] == fitted.params
    assert told["run"]["duration_s"] > 0
    assert told["run"]["host"]


def test_the_history_of_a_value_holds_what_it_superseded(measured: Measured, alice: User) -> None:
    first, second = fit(measured), fit(measured, max_width_nm=91)
    history = provenance(peak(first), alice)["history"]
    assert [(row["run"], row["current"], row["this"]) for row in history] == [
        (first.pk, False, True),
        (second.pk, True, False),
    ]


def test_reviews_and_verifications_stand_in_the_chain(fitted: Run, alice: User) -> None:
    services.review(value=peak(fitted), verdict="rejected", reason="The lamp drifted.", user=alice)
    again = verify(fitted, alice)
    services.execute(again.pk)
    told = provenance(peak(fitted), alice)
    assert [(row["verdict"], row["by"]) for row in told["reviews"]] == [("rejected", "alice")]
    assert [row["id"] for row in told["run"]["verifications"]] == [again.pk]


def test_prov_is_read_by_an_independent_library_and_leads_from_value_to_file(
    fitted: Run, alice: User
) -> None:
    value = peak(fitted)
    prov = prov_of(value, alice)
    names = {row.identifier.localpart for row in prov.get_records(ProvEntity)}
    sha256 = fitted.measurement.files.get().blob.sha256
    assert {f"value-{value.pk}", sha256} <= names
    steps = {(row.args[0].localpart, row.args[1].localpart) for row in prov.get_records(ProvDerivation)}
    (dataset,) = {b for a, b in steps if a == f"value-{value.pk}"}
    assert (dataset, sha256) in steps


def test_prov_names_nothing_that_it_does_not_declare(measured: Measured, alice: User) -> None:
    """Every relation joins two things of the document, of the kinds that PROV asks for."""
    first = fit(measured)
    second = fit(measured, max_width_nm=91)
    services.review(value=peak(second), verdict="accepted", reason="Fine.", user=alice)
    services.execute(verify(second, alice).pk)
    told = document([peak(second)], alice)
    ends = {
        "used": {"prov:activity": "activity", "prov:entity": "entity"},
        "wasGeneratedBy": {"prov:entity": "entity", "prov:activity": "activity"},
        "wasDerivedFrom": {"prov:generatedEntity": "entity", "prov:usedEntity": "entity"},
        "wasAssociatedWith": {"prov:activity": "activity", "prov:agent": "agent"},
        "wasInformedBy": {"prov:informed": "activity", "prov:informant": "activity"},
    }
    assert set(told) == {"prefix", "entity", "activity", "agent", *ends}
    for section, joined in ends.items():
        for row in told[section].values():
            for name, kind in joined.items():
                assert row[name] in told[kind], (section, row)
    generated = [row["prov:entity"] for row in told["wasGeneratedBy"].values()]
    assert len(generated) == len(set(generated)), "an entity is generated once"
    assert f"vitrine:value-{peak(first).pk}" in told["entity"]


def test_a_value_that_superseded_another_is_its_revision(measured: Measured, alice: User) -> None:
    first, second = fit(measured), fit(measured, max_width_nm=91)
    revisions = derived(prov_of(peak(second), alice), "prov:Revision")
    assert revisions == [(f"value-{peak(second).pk}", f"value-{peak(first).pk}")]


def test_numbers_in_prov_are_exact(fitted: Run, alice: User) -> None:
    value = peak(fitted)
    written = document([value], alice)["entity"][f"vitrine:value-{value.pk}"]["vitrine:value"]
    assert written["type"] == "xsd:double"
    assert math.isclose(float(written["$"]), value.value or 0, rel_tol=0, abs_tol=0)


def test_a_published_value_has_its_publication_as_primary_source(composite: Sample, alice: User) -> None:
    paper = find_or_add_publication(key="Li2023", title="Alloying", doi="10.1038/s41467-023-43247-6")
    value = enter_published(
        user=alice, sample=composite, publication=paper, property_key="tg", place="Fig. 3", value=290
    )
    told = provenance(value, alice)
    assert told["run"] is None
    assert (told["publication"]["doi"], told["publication"]["place"]) == (paper.doi, "Fig. 3")
    assert told["publication"]["extracted_by"] == "alice"
    assert derived(prov_of(value, alice), "prov:PrimarySource") == [
        (f"value-{value.pk}", "publication-Li2023")
    ]


def test_corrections_of_an_entered_value_are_its_history(composite: Sample, alice: User) -> None:
    entered = [
        services.enter_value(
            user=alice, sample=composite, property_key="plqy", value=value, unit="1", reason="Read off."
        )
        for value in (0.4, 0.5)
    ]
    told = provenance(entered[1], alice)
    assert [row["value"] for row in told["history"]] == [0.4, 0.5]
    assert told["entered"]["by"] == "alice"
    assert len(derived(prov_of(entered[1], alice), "prov:Revision")) == 1


def test_an_input_of_an_embargoed_sample_is_named_by_its_hash_only(
    measured: Measured, fitted: Run, composite: Sample, project: Project, alice: User
) -> None:
    """A value whose run also read a measurement of a sample that its reader may not see."""
    hidden = Sample.objects.create(project=project, code="VT-HIDDEN", state="glass", created_by=alice)
    blank = measured(7, sample=hidden)
    blank.files.update(filename="secret-blank.txt")
    fitted.inputs.create(dataset=blank.datasets.get(), role="blank")
    Sample.objects.filter(pk=hidden.pk).update(embargoed_until=timezone.now().date() + timedelta(days=9))
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    for user, seen in ((alice, True), (dora, False)):
        for told in (provenance(peak(fitted), user), document([peak(fitted)], user)):
            text = json.dumps(told, default=str)
            assert ("secret-blank" in text) is seen
            assert blank.datasets.get().blob.sha256 in text
            assert (blank.files.get().blob.sha256 in text) is seen


def test_both_forms_are_given_over_rest_and_no_third(
    fitted: Run, as_bob: APIClient, as_charlie: APIClient
) -> None:
    address = f"/api/v1/values/{peak(fitted).pk}/provenance/"
    assert as_bob.get(address).json()["run"]["identity"] == fitted.identity
    assert "wasGeneratedBy" in as_bob.get(address, {"as": "prov"}).json()
    assert as_bob.get(address, {"as": "xml"}).status_code == 400
    assert as_charlie.get(address, {"as": "prov"}).status_code == 404
