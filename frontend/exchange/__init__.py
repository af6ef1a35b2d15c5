"""A project as an archive with its raw files and values: what only the top room can see whole."""

from __future__ import annotations


def connect() -> None:
    """Teach the import and the export the `.eln` archive."""
    from frontend.exchange import eln_reading, eln_writing
    from samples.exchange.formats import FORMATS, READERS, Format

    FORMATS["eln"] = Format("eln", "ELN archive", "application/vnd.eln+zip", ".eln", eln_writing.write)
    READERS["eln"] = eln_reading.bring_in
