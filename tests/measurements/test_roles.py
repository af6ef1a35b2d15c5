"""Roles of an integrating sphere's files, told by their names: all together, or not at all."""

from __future__ import annotations

import io

import pytest

from measurements.models import Measurement
from measurements.services import Incoming, Receipt, receive, set_technique
from measurements.services.roles import roles_from_names
from samples.models import Sample, User

LETTERED = ["A1.txt", "B1.txt", "B2.txt", "C1.txt", "C2.txt"]
ROLES = ["empty", "off_beam", "off_beam_emission", "on_beam", "on_beam_emission"]


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (LETTERED, ROLES),
        ([f"run7/VT-GLASS_{name.lower()}" for name in LETTERED], ROLES),
        (["a.csv", "b.csv", "c.csv"], ["empty", "off_beam", "on_beam"]),
        (["empty.txt", "VT-7K3M2 on beam.txt"], ["empty", "on_beam"]),
        (["Blank.TXT", "direct_em.txt", "direct.txt"], ["empty", "on_beam_emission", "on_beam"]),
        (["x-indirect.txt", "x-direct.txt", "x-empty.txt"], ["off_beam", "on_beam", "empty"]),
        (["x_offbeam.txt", "x_onbeam.txt", "notes.txt"], ["off_beam", "on_beam", ""]),
        ([r"C:\data\on.txt", r"C:\data\empty.txt"], ["on_beam", "empty"]),
    ],
)
def test_names_that_tell_all_roles_fill_them(names: list[str], roles: list[str]) -> None:
    assert roles_from_names("plqy", names) == roles


@pytest.mark.parametrize(
    "names",
    [
        ["on.txt"],
        ["spectrum1.txt", "spectrum2.txt"],
        ["on_1.txt", "on_2.txt", "empty.txt"],
        ["empty.txt", "off.txt"],
        ["on_off.txt", "empty.txt"],
        ["film_on_glass_indirect.txt", "film_on_glass_direct.txt", "empty.txt"],
        ["iron.txt", "coffee.txt"],
        ["A1.txt", "B1.txt"],
        ["C1.txt", "C1_copy_C1.txt"],
        ["carbon.txt", "cab.txt"],
        ["", ".txt"],
    ],
)
def test_names_that_do_not_tell_all_roles_tell_none(names: list[str]) -> None:
    assert roles_from_names("plqy", names) == [""] * len(names)


def test_other_techniques_are_left_alone() -> None:
    assert roles_from_names("pl", LETTERED) == [""] * 5


def sent(
    alice: User, composite: Sample, names: list[str], role: str = "", technique: str = "plqy"
) -> Receipt:
    files = [Incoming(name, io.BytesIO(f"{name}\n1 2\n3 4\n".encode()), role) for name in names]
    return receive(user=alice, files=files, sample_code=composite.code, technique=technique)


def test_an_upload_without_roles_gets_those_of_its_names_and_is_told_so(
    alice: User, composite: Sample
) -> None:
    receipt = sent(alice, composite, LETTERED)
    assert [file.role for file in receipt.measurement.files.order_by("pk")] == ROLES
    assert "A1.txt as empty, B1.txt as off beam" in receipt.warnings[0]


def test_the_same_files_sent_again_are_the_same_measurement(alice: User, composite: Sample) -> None:
    first, second = sent(alice, composite, LETTERED), sent(alice, composite, LETTERED)
    assert (second.created, second.measurement.pk) == (False, first.measurement.pk)
    assert second.warnings == []


def test_what_the_sender_says_wins_over_the_names(alice: User, composite: Sample) -> None:
    receipt = sent(alice, composite, LETTERED, role="reference")
    assert {file.role for file in receipt.measurement.files.all()} == {"reference"}
    assert receipt.warnings == []


@pytest.mark.parametrize(
    ("technique", "names", "roles"),
    [("trpl", ["decay.txt", "IRF.txt"], ["", "irf"]), ("plqy", LETTERED, ROLES), ("pl", LETTERED, [""] * 5)],
)
def test_files_of_an_unknown_technique_get_their_roles_once_somebody_says_it(
    alice: User, composite: Sample, technique: str, names: list[str], roles: list[str]
) -> None:
    row = sent(alice, composite, names, technique="unknown").measurement
    set_technique(row, technique, user=alice)
    assert [file.role for file in row.files.order_by("pk")] == roles


def test_no_role_is_told_where_the_technique_is_not_known(alice: User, composite: Sample) -> None:
    receipt = sent(alice, composite, LETTERED, technique="pl")
    assert {file.role for file in receipt.measurement.files.all()} == {""}
    assert Measurement.objects.count() == 1
