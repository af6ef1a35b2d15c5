"""Labels for thermal printers in ZPL II, as text that is sent to the printer as it is."""

from __future__ import annotations

from collections.abc import Sequence

from samples.labels.content import Label, printable
from samples.labels.pdf import qr_rows
from samples.labels.sheets import MOST_LABELS, LabelError, Roll

MARGIN_MM = 1.5
LARGEST_MODULE = 10


def labels_as_zpl(labels: Sequence[Label], roll: Roll) -> str:
    """One format `^XA … ^XZ` per label. Raises LabelError with a sentence."""
    if not 0 < len(labels) <= MOST_LABELS:
        raise LabelError(f"{len(labels)} labels cannot be printed; choose 1 to {MOST_LABELS}.")
    return "".join(_format(label, roll) for label in labels)


def _format(label: Label, roll: Roll) -> str:
    dots = roll.dots_per_mm
    margin = round(MARGIN_MM * dots)
    width, height = round(roll.width_mm * dots), round(roll.height_mm * dots)
    modules = len(qr_rows(label.address))
    magnification = max(1, min(LARGEST_MODULE, (height - 2 * margin) // modules, width // 2 // modules))
    left = 2 * margin + modules * magnification
    size = (height - 2 * margin) // 6
    lines = [
        (label.code, round(1.3 * size)),
        (label.notation, size),
        (label.hazard, size),
        (" · ".join(part for part in (label.project, label.date) if part), size),
    ]
    # ^CI28: texts are UTF-8. ^BQ wants its y 10 dots above the code. MA: error correction M, mode automatic.
    commands = [
        "^XA^CI28",
        f"^PW{width}^LL{height}",
        f"^FO{margin},{max(0, margin - 10)}^BQN,2,{magnification}^FH_^FDMA,{_escaped(label.address)}^FS",
    ]
    top = margin
    for text, high in lines:
        if shown := printable(text):
            rows = 2 if text == label.notation else 1
            field = f"^FB{width - left - margin},{rows},0,L^FH_^FD{_escaped(shown)}^FS"
            commands.append(f"^FO{left},{top}^A0N,{high},{round(0.8 * high)}{field}")
            top += round(1.15 * high) * rows
    return "\n".join([*commands, "^XZ\n"])


def _escaped(text: str) -> str:
    """`^` and `~` would be commands, `_` begins an escape, and `\\&` a new line."""
    return "".join(f"_{ord(c):02X}" if c in "^~_\\" else c for c in text)
