"""multipart/form-data (RFC 7578), read once from front to back; files flow into the store as they come.

Django's own parser is right for forms. For raw data it is not: it drops files whose names it dislikes, ends a
file at a boundary that does not start a line, and copies every byte several times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.http import QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters

from measurements.store import CHUNK_BYTES, Pending, Readable, store

FIELDS_BYTES = 1024 * 1024  # all fields together; what is large is a file
HEADER_BYTES = 16 * 1024
MAX_PARTS = 1000

Sink = Callable[[bytes | memoryview], None]


class Part(NamedTuple):
    name: str
    filename: str | None  # None: a field, not a file
    content_type: str


class Form(NamedTuple):
    fields: QueryDict
    files: MultiValueDict


def read_form(stream: Readable, boundary: bytes, as_file: Callable[[Pending, Part], object]) -> Form:
    """Fields and files of the form that `stream` holds; `as_file` wraps each file that is complete.

    Raises MultiPartParserError when the body is not such a form or breaks off, and StoreError; nothing of it
    is left in the store then.
    """
    return _Reader(stream, boundary, as_file).read()


class _Reader:
    def __init__(self, stream: Readable, boundary: bytes, as_file: Callable[[Pending, Part], object]) -> None:
        self._stream = stream
        self._as_file = as_file
        self._delimiter = b"\r\n--" + boundary
        self._buffer = b"\r\n"  # so that the first delimiter starts a line like all others
        self._room_for_fields = FIELDS_BYTES
        self._complete: list[Pending] = []

    def read(self) -> Form:
        fields, files = QueryDict(mutable=True), MultiValueDict()
        try:
            self._up_to(self._delimiter, lambda data: None)  # a preamble says nothing
            for _ in range(MAX_PARTS):
                if not self._another_part():
                    fields._mutable = False
                    return Form(fields, files)
                part = self._part()
                if part.filename is None:
                    fields.appendlist(part.name, self._field())
                elif (file := self._file(part)) is not None:
                    files.appendlist(part.name, file)
            raise MultiPartParserError(f"The form has more than {MAX_PARTS} parts.")
        except BaseException:
            for pending in self._complete:
                pending.discard()
            raise

    def _another_part(self) -> bool:
        """After a delimiter comes the next part, or two dashes and nothing that counts."""
        while len(self._buffer) < 2:
            self._buffer += self._more()
        if self._buffer.startswith(b"--"):
            while self._stream.read(CHUNK_BYTES):
                pass  # an epilogue says nothing either, but the connection is to be used again
            return False
        padding = bytearray()
        self._up_to(b"\r\n", padding.extend, most=HEADER_BYTES)
        if padding.strip():
            raise MultiPartParserError("A boundary in the form is followed by other text.")
        return True

    def _part(self) -> Part:
        head = bytearray(b"\r\n")
        self._buffer = b"\r\n" + self._buffer  # a part may have no header at all
        self._up_to(b"\r\n\r\n", head.extend, most=HEADER_BYTES)
        said = {}
        for line in head.decode("utf-8", "replace").split("\r\n"):
            key, _, value = line.partition(":")
            said[key.strip().lower()] = value.strip()
        if said.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
            raise MultiPartParserError("A part has a transfer encoding. Send the bytes as they are.")
        try:
            kind, of = parse_header_parameters(said.get("content-disposition", ""))
        except ValueError as error:
            raise MultiPartParserError(f"A part has an odd Content-Disposition: {error}.") from error
        if kind.lower() != "form-data" or "name" not in of:
            raise MultiPartParserError("A part does not say which field of the form it is.")
        return Part(of["name"], of.get("filename"), said.get("content-type", ""))

    def _field(self) -> str:
        value = bytearray()
        self._up_to(self._delimiter, value.extend, most=self._room_for_fields)
        self._room_for_fields -= len(value)
        return value.decode("utf-8", "replace")

    def _file(self, part: Part) -> object | None:
        pending = store().begin(limit=settings.MAX_UPLOAD_BYTES)
        self._complete.append(pending)
        self._up_to(self._delimiter, pending.write)
        if not part.filename and not pending.size:
            pending.discard()  # a file field of a web page that nobody filled
            return None
        return self._as_file(pending, part)

    def _up_to(self, mark: bytes, sink: Sink, most: int | None = None) -> None:
        """Everything before `mark` goes to `sink`; the mark itself is passed over."""
        passed = 0
        while (at := self._buffer.find(mark)) < 0:
            # What could be the beginning of the mark stays for the next look.
            sure = max(len(self._buffer) - len(mark) + 1, 0)
            passed += self._pass_on(sure, sink, most, passed)
            self._buffer = self._buffer[sure:] + self._more()
        self._pass_on(at, sink, most, passed)
        self._buffer = self._buffer[at + len(mark) :]

    def _pass_on(self, size: int, sink: Sink, most: int | None, passed: int) -> int:
        if most is not None and passed + size > most:
            raise MultiPartParserError(f"A part of the form that is no file has more than {most} bytes.")
        sink(memoryview(self._buffer)[:size])
        return size

    def _more(self) -> bytes:
        more = self._stream.read(CHUNK_BYTES)
        if not more:
            raise MultiPartParserError("The upload broke off before its end. Send it again.")
        return more
