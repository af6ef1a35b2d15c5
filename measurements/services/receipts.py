"""What a sender is told: which bytes are safe, and what became of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from measurements.services.receiving import Receipt


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """What ReceiptSerializer describes, without its cost: every file of every instrument passes here."""
    row = receipt.measurement
    return {
        "id": row.pk,
        "sample": row.sample.code if row.sample else None,
        "claimed_code": row.claimed_code,
        "project": row.project.slug,
        "technique": row.technique,
        "origin": row.origin,
        "instrument": row.instrument.name if row.instrument else None,
        "acquired_at": _written(row.acquired_at),
        "received_at": _written(row.received_at),
        "conditions": row.conditions,
        "status": row.status,
        "error": row.error,
        "refused_by": row.refused_by,
        "qc_level": row.qc_level,
        "technique_confidence": row.technique_confidence,
        "technique_reason": row.technique_reason,
        "files": [
            {
                "id": file.pk,
                "filename": file.filename,
                "role": file.role,
                "size": file.blob.size,
                "sha256": file.blob.sha256,
            }
            for file in receipt.files
        ],
        "warnings": receipt.warnings,
    }


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
