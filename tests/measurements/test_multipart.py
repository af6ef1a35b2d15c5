from __future__ import annotations

import io

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from hypothesis import given, settings
from hypothesis import strategies as st

from measurements.multipart import FIELDS_BYTES, MAX_PARTS, Form, Part, read_form
from measurements.store import Pending, store

BOUNDARY = b"XX"


class Drips(io.BytesIO):
    """A connection that delivers a few bytes at a time, with the seams anywhere."""

    def __init__(self, body: bytes, step: int) -> None:
        super().__init__(body)
        self.step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.step)


def read(body: bytes, step: int = 1 << 20) -> tuple[Form, list[tuple[Part, bytes]]]:
    files: list[tuple[Part, bytes]] = []

    def as_file(pending: Pending, part: Part) -> Part:
        files.append((part, pending.head(pending.size + 1)))
        pending.discard()
        return part

    return read_form(Drips(body, step), BOUNDARY, as_file), files


def form(*parts: tuple[str, bytes], end: bytes = b"--XX--\r\n") -> bytes:
    written = [b"--XX\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts]
    return b"".join(written) + end


def field(name: str, value: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', value


def file(name: str, content: bytes) -> tuple[str, bytes]:
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    return head + "\r\nContent-Type: application/octet-stream", content


ALMOST_BOUNDARIES = st.lists(
    st.sampled_from([b"\r\n", b"--", b"XX", b"--XX", b"\r\n--X", b"\r", b"\n", b"-", b"X", b"\0", b"data"])
).map(b"".join)
CONTENTS = st.one_of(st.binary(max_size=60), ALMOST_BOUNDARIES).filter(
    lambda content: b"\r\n--XX" not in b"\r\n" + content
)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
)
@given(contents=st.lists(CONTENTS, min_size=1, max_size=3), step=st.integers(1, 40))
def test_files_arrive_byte_for_byte_wherever_the_network_cuts_them(contents: list[bytes], step: int) -> None:
    body = form(field("sample", b"VT-1"), *(file("a.bin", content) for content in contents))
    fields, files = read(body, step)
    assert [content for _, content in files] == contents
    assert fields.fields.getlist("sample") == ["VT-1"]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    contents=st.lists(st.binary(max_size=60).filter(lambda content: b"--XX" not in content), max_size=3),
    values=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3),
)
def test_it_reads_what_djangos_slower_parser_reads(contents: list[bytes], values: list[str]) -> None:
    body = form(
        *(field("value", value.encode()) for value in values if "--XX" not in value),
        *(file("a.bin", content) for content in contents),
    )
    (ours, _), files = read(body)
    meta = {"CONTENT_TYPE": "multipart/form-data; boundary=XX", "CONTENT_LENGTH": len(body)}
    handler = MemoryFileUploadHandler()
    handler.activated = True
    post, twins = MultiPartParser(meta, io.BytesIO(body), [handler], "utf-8").parse()
    assert ours.getlist("value") == post.getlist("value")
    assert [content for _, content in files] == [twin.read() for twin in twins.getlist("file")]


def test_a_boundary_inside_a_line_is_content() -> None:
    _, ((_, content),) = read(form(file("a.bin", b"12--XX--34")))
    assert content == b"12--XX--34"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ('"../x"', "../x"),
        ('".."', ".."),
        ('"say \\"hi\\".txt"', 'say "hi".txt'),
        ('"a;b=c.txt"', "a;b=c.txt"),
        ('"Grüße.txt"', "Grüße.txt"),
        ("plain.txt", "plain.txt"),
        ("\"x\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"),
    ],
)
def test_a_name_is_read_as_it_was_written(written: str, read_as: str) -> None:
    head = f'Content-Disposition: form-data; name="file"; filename={written}'
    _, ((part, _),) = read(form((head, b"1")))
    assert part.filename == read_as


def test_preamble_epilogue_and_padding_say_nothing() -> None:
    body = b"preamble\r\n" + form(file("a", b"1"), end=b"--XX--\r\nepilogue --XX")
    _, ((_, content),) = read(body.replace(b"--XX\r\n", b"--XX  \t\r\n"))
    assert content == b"1"


def test_a_file_field_that_nobody_filled_is_not_a_file() -> None:
    form_read, files = read(form(file("", b""), file("", b"1")))
    assert [content for _, content in files] == [b"1"]
    assert len(form_read.files.getlist("file")) == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "broke off"),
        (b"no form at all", "broke off"),
        (form(file("a", b"123"))[:-12], "broke off"),
        (form(file("a", b"123"), end=b""), "broke off"),
        (form(file("a", b"123"), end=b"--XX"), "broke off"),
        (b"--XXjunk\r\n\r\n", "followed by other text"),
        (b"--XX\r\n\r\n1\r\n--XX--\r\n", "does not say which field"),
        (form(("Content-Disposition: attachment; name=a", b"1")), "does not say which field"),
        (form((field("a", b"")[0] + "\r\nContent-Transfer-Encoding: base64", b"MQ==")), "transfer encoding"),
        (form(field("a", b"1" * (FIELDS_BYTES + 1))), "no file has more than"),
        (form(field("a", b"1" * 700_000), field("a", b"1" * 700_000)), "no file has more than"),
        (form(("X: " + "1" * 20_000, b"")), "no file has more than"),
        (form(*[field("a", b"1")] * (MAX_PARTS + 1)), "more than 1000 parts"),
    ],
)
def test_a_body_that_is_no_form_is_refused_and_leaves_nothing(body: bytes, sentence: str) -> None:
    with pytest.raises(MultiPartParserError, match=sentence):
        read(body)
    assert not store().incoming.exists() or list(store().incoming.iterdir()) == []


def test_files_before_a_break_are_taken_back_too() -> None:
    body = form(file("a", b"123"), file("b", b"456"))[:-14]
    with pytest.raises(MultiPartParserError, match="broke off"):
        read_form(io.BytesIO(body), BOUNDARY, lambda pending, part: part)
    assert list(store().incoming.iterdir()) == []
