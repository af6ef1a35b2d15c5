"""SHA-256 beside the writing: of a large file, one thread hashes while the other reads and writes.

Hashing takes longer than the rest of an upload together, and lets go of the interpreter while it works.
"""

from __future__ import annotations

import hashlib
import threading
from queue import Queue

ALONE_BYTES = 4 * 1024 * 1024  # below this a thread costs more than it saves
WAITING = 4  # pieces, so that memory stays flat


class Hashing:
    """The SHA-256 of the first `size` bytes. Whoever stops in between calls `close`."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._pieces: Queue[bytes | memoryview | None] | None = None
        self._thread: threading.Thread | None = None
        self.size = 0

    def update(self, data: bytes | memoryview) -> None:
        """`data` must not change afterwards."""
        self.size += len(data)
        if self._pieces is None and self.size > ALONE_BYTES:
            self._pieces = Queue(WAITING)
            self._thread = threading.Thread(target=self._work, args=[self._pieces], daemon=True)
            self._thread.start()
        if self._pieces is None:
            self._sha256.update(data)
        else:
            self._pieces.put(data)

    def hexdigest(self) -> str:
        self.close()
        return self._sha256.hexdigest()

    def copy(self) -> Hashing:
        self.close()
        twin = Hashing()
        twin._sha256, twin.size = self._sha256.copy(), self.size
        return twin

    def close(self) -> None:
        """Wait for what is still to be hashed, and end the thread; `update` begins another."""
        if self._pieces is not None and self._thread is not None:
            self._pieces.put(None)
            self._thread.join()
            self._pieces = self._thread = None

    def _work(self, pieces: Queue[bytes | memoryview | None]) -> None:
        while (piece := pieces.get()) is not None:
            self._sha256.update(piece)
