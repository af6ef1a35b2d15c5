"""Uploads that come in pieces. What is acknowledged is durable; whoever holds the newest claim may write.

The kernel's lock on the file ends with the process that holds it, so after a kill -9 the next request goes
on at once. A request that only hangs (its client left without a word) is superseded by a newer one after a
while, which goes on in a copy of the file: whatever the old one still writes reaches nobody.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from measurements.models import Instrument, Upload
from measurements.models.uploads import expiry
from measurements.services import quota
from measurements.services.claims import Claims, claims_of, writable_project
from measurements.services.placing import find_place
from measurements.services.receipts import receipt_body
from measurements.services.receiving import Incoming, Receipt, RefusedError, check_claims, check_size, receive
from measurements.store import CHUNK_BYTES, Readable, StoreError, TooLargeError, readable, store
from measurements.store.partial import LostError, Partial, create_partial, partial_names, remove_partial
from samples.models import User

log = logging.getLogger(__name__)

ACKNOWLEDGE_EVERY_S = 2.0  # what a killed server loses at most
# A web server reads until it has what was asked for, so a slow client is asked for little at a time.
SLOW_BYTES, SLOW_S = 64 * 1024, 0.2
STALLED = timedelta(seconds=30)  # without a byte for so long, a request gives way to a newer one
UNFINISHED_AT_MOST = 100  # of one person
PROMISES_AT_MOST = 4  # times the largest file: what is still to come to them together
ORPHAN_AGE_S = 3600.0
REMEMBERED_FOR = timedelta(days=30)  # how long an address of the past answers 410 and not 404
ALGORITHMS = ("sha1", "sha256", "md5")


class OffsetError(Exception):
    """The piece does not begin where the last one ended."""


class WholeError(OffsetError):
    """Nothing is left to add."""


class LockedError(Exception):
    """Another request is adding to this upload."""


class ChecksumError(Exception):
    """The piece is not what its checksum says; nothing of it was kept."""


class GoneError(Exception):
    """The upload was ended while this request was on its way."""


class TooManyError(Exception):
    """One person began more uploads than they finished."""


class Checksum:
    """What `Upload-Checksum: sha1 Kq5s…` announces."""

    def __init__(self, header: str) -> None:
        name, _, encoded = header.strip().partition(" ")
        if name.lower() not in ALGORITHMS:
            raise RefusedError(
                "Upload-Checksum", f"“{name[:20]}” is no checksum known here: take {', '.join(ALGORITHMS)}."
            )
        try:
            self._expected = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            raise RefusedError("Upload-Checksum", "A checksum is written in Base64.") from None
        self._found = hashlib.new(name.lower(), usedforsecurity=False)
        self.update = self._found.update

    def check(self) -> None:
        if self._found.digest() != self._expected:
            raise ChecksumError("The bytes are not those of the checksum. Send this piece again.")


def begin_upload(*, user: User, size_bytes: int, said: Mapping[str, str]) -> Upload:
    """A new, empty upload. What would be refused at its end is refused now, before a byte is sent."""
    upload = Upload(owner=user, size_bytes=size_bytes, said=dict(said))
    check_size(size_bytes)
    claims = _claims(upload)
    check_claims(claims.technique, claims.acquired_at)
    instrument = Instrument.objects.filter(account=user).first()
    project = writable_project(user, claims.project)
    place = find_place(user, claims.sample, project, instrument, [], [upload.filename])
    upload.project = place.project
    on_their_way = Upload.objects.unfinished().filter(project=place.project)
    sizes = {upload.pk: size_bytes, **dict(on_their_way.values_list("pk", "size_bytes"))}
    # No hashes are known yet, so each counts, though it may be here already.
    quota.require_room(place.project, {str(pk): size for pk, size in sizes.items()})
    _require_few(user, size_bytes)
    store().require_room(size_bytes + Upload.objects.unfinished().promised_bytes())
    create_partial(store(), str(upload.pk))
    upload.save(force_insert=True)
    return upload


def _require_few(user: User, size_bytes: int) -> None:
    """What one person begins and leaves must not take everybody's room."""
    own = Upload.objects.of(user).unfinished()
    most_bytes = PROMISES_AT_MOST * settings.MAX_UPLOAD_BYTES
    number, promised_bytes = own.count(), own.promised_bytes()
    if number < UNFINISHED_AT_MOST and promised_bytes + size_bytes <= most_bytes:
        return
    first = own.first()
    oldest = f" (the oldest is {first.pk}, “{first.filename}”)" if first else ""
    raise TooManyError(
        f"You have {number} unfinished uploads, to which {readable(promised_bytes)} are still to come; up to "
        f"{UNFINISHED_AT_MOST} with {readable(most_bytes)} are taken at once. Finish them or delete them"
        f"{oldest}, then begin this one again. One without a byte is forgotten after an hour."
    )


def append(
    upload: Upload,
    offset: int,
    body: Readable,
    *,
    size_bytes: int | None = None,
    checksum: Checksum | None = None,
) -> None:
    """Add what `body` gives. What came is kept, also when it breaks off; with a checksum all or nothing.

    `size_bytes`: how much was announced. The fields of `upload` are up to date afterwards.
    """
    with _writing(upload) as writer:
        if offset != upload.received_bytes:
            raise OffsetError(
                f"The upload goes on at byte {upload.received_bytes}, not at {offset}. Ask with HEAD where."
            )
        room = upload.size_bytes - offset
        if size_bytes is not None and size_bytes > room:
            raise TooLargeError(f"The upload has room for {room} bytes more, and {size_bytes} were sent.")
        if room:
            writer.go_on()
            if checksum is None:
                writer.take(body, room)
            else:
                with writer.file.all_or_nothing():
                    writer.take(body, room, checksum)
                    checksum.check()
            writer.acknowledge()


def finish(upload: Upload) -> Receipt | None:
    """Make the measurement once every byte is here; None before, and while another request is at it."""
    if upload.receipt is not None or upload.given_up_at is not None or not upload.is_complete:
        return None
    try:
        with _writing(upload) as writer:
            writer.go_on()
            claims = _claims(upload)
            receipt = receive(
                user=upload.owner,
                files=[Incoming(upload.filename, writer.file, claims.role)],
                sample_code=claims.sample,
                project=writable_project(upload.owner, claims.project),
                technique=claims.technique,
                acquired_at=claims.acquired_at,
                conditions=claims.conditions,
                origin=claims.origin,
            )
            upload.receipt = receipt_body(receipt)
            Upload.objects.filter(pk=upload.pk).update(receipt=upload.receipt)
    except (LockedError, WholeError):
        return None
    remove_partial(store(), str(upload.pk))
    return receipt


def terminate(upload: Upload) -> None:
    """End an upload and forget its bytes. A measurement that has come of it stays as it is."""
    name = str(upload.pk)
    upload.delete()
    remove_partial(store(), name)


def sweep_uploads() -> None:
    """Finish what is whole, give up what nobody goes on with, forget what is long past."""
    for upload in Upload.objects.complete().select_related("owner"):
        try:
            finish(upload)
        except (RefusedError, PermissionDenied, StoreError, GoneError) as error:
            log.warning("The upload %s is whole but cannot be received: %s", upload.pk, error)
    for upload in Upload.objects.unfinished().expired():
        if _give_up(Upload.objects.expired().filter(pk=upload.pk)):  # unless somebody has just gone on
            remove_partial(store(), str(upload.pk))
    Upload.objects.filter(expires_at__lt=timezone.now() - REMEMBERED_FOR).delete()
    wanted = {str(pk) for pk in Upload.objects.unfinished().values_list("pk", flat=True)}
    # What a server left that was killed between file and row; another may be between them just now.
    for name in partial_names(store(), older_than_s=ORPHAN_AGE_S):
        if name not in wanted:
            remove_partial(store(), name)


def _claims(upload: Upload) -> Claims:
    return claims_of({name: text for name, text in upload.said.items() if name != "filename"})


class _Writer:
    """The request that may write to an upload now."""

    def __init__(self, upload: Upload, file: Partial) -> None:
        self.upload = upload
        self.file = file
        self._told_at_s = time.monotonic()

    def go_on(self) -> None:
        self.file.go_on_at(self.upload.received_bytes)

    def leave_the_other_behind(self) -> None:
        """Go on in a copy: the request whose place this one took may still write when it wakes up."""
        for _ in self.file.copy(self.upload.received_bytes):
            if time.monotonic() - self._told_at_s > ACKNOWLEDGE_EVERY_S:
                self.acknowledge(self.upload.received_bytes)
        with transaction.atomic():
            self.acknowledge(self.upload.received_bytes)  # nobody can take over until this is committed
            self.file.replace()

    def take(self, body: Readable, room: int, checksum: Checksum | None = None) -> None:
        end = self.file.size + room
        size = SLOW_BYTES
        try:
            while self.file.size < end:
                asked_at_s = time.monotonic()
                data = body.read(min(size, end - self.file.size))
                if not data:
                    break
                is_slow = time.monotonic() - asked_at_s > SLOW_S
                size = SLOW_BYTES if is_slow else min(2 * size, CHUNK_BYTES)
                if time.monotonic() - self._told_at_s > ACKNOWLEDGE_EVERY_S:
                    # Before writing: this request may have slept while another took its place.
                    self.acknowledge(self.upload.received_bytes if checksum else None)
                if checksum is not None:
                    checksum.update(data)
                self.file.write(data)
        except OSError as error:
            if checksum is not None:
                raise ChecksumError("The piece broke off, so its checksum does not hold.") from error
            log.info("The upload %s broke off: %s", self.upload.pk, error)  # what came is kept

    def acknowledge(self, received_bytes: int | None = None) -> None:
        """Flush, then say so: never the other way round."""
        if received_bytes is None:
            self.file.flush()
            received_bytes = self.file.size
        now = timezone.now()
        known = {"received_bytes": received_bytes, "active_at": now, "expires_at": expiry(received_bytes)}
        if not Upload.objects.filter(pk=self.upload.pk, writer=self.upload.writer).update(**known):
            if Upload.objects.filter(pk=self.upload.pk).exists():
                raise LockedError("A newer request goes on with this upload.")
            raise GoneError("This upload was ended.")
        self.upload.received_bytes, self.upload.active_at = received_bytes, now
        self.upload.expires_at = known["expires_at"]
        self.file.acknowledged_bytes = received_bytes
        self._told_at_s = time.monotonic()


@contextlib.contextmanager
def _writing(upload: Upload) -> Iterator[_Writer]:
    """The right to write, with the row as it is now. Raises LockedError while another request has it."""
    with contextlib.ExitStack() as stack:
        try:
            file, is_alone = _claimed(upload)
            stack.callback(file.discard)
            writer = _Writer(upload, file)
            if not is_alone:
                writer.leave_the_other_behind()
            yield writer
        except LostError as error:
            log.error("Acknowledged bytes of the upload %s are gone from the disk: given up.", upload.pk)
            _give_up(Upload.objects.filter(pk=upload.pk))
            raise GoneError(str(error)) from error


def _claimed(upload: Upload) -> tuple[Partial, bool]:
    """The file, which this request may write to from now on, and whether no other has it open for writing.

    All in one lock of the row: the name stands for another file when a request took the place of a hung one.
    """
    with transaction.atomic():
        try:
            upload.refresh_from_db(from_queryset=Upload.objects.select_for_update(of=("self",)))
        except Upload.DoesNotExist:
            raise GoneError("This upload was ended.") from None
        if upload.given_up_at is not None:
            raise GoneError("Nobody went on with this upload, so it was removed. Begin it anew.")
        if upload.receipt is not None:
            raise WholeError("The upload is whole; GET at its address tells its receipt.")
        file = Partial(store(), str(upload.pk), whole=upload.is_complete)
        try:
            is_alone = file.lock()
            # Nobody hangs over a whole file: who has that is making the measurement.
            hangs = not upload.is_complete and upload.active_at < timezone.now() - STALLED
            if not is_alone and not hangs:
                raise LockedError(
                    "Another request is adding to this upload. Wait a moment, then ask with HEAD."
                )
            upload.writer, upload.active_at = uuid.uuid4(), timezone.now()
            upload.save(update_fields=["writer", "active_at"])
        except BaseException:
            file.discard()
            raise
    return file, is_alone


def _give_up(uploads: QuerySet[Upload]) -> int:
    """No writer either: a request that is still on its way finds out before it acknowledges anything."""
    return uploads.filter(receipt__isnull=True).update(given_up_at=timezone.now(), writer=None)


def upload_named(user: User, pk: uuid.UUID) -> Upload | None:
    upload: Upload | None = Upload.objects.of(user).select_related("owner").filter(pk=pk).first()
    return upload
