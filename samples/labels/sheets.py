"""Label sheets and rolls as numbers, all in millimetres: adding one is adding a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

A4_MM = (210.0, 297.0)
LETTER_MM = (215.9, 279.4)
MOST_LABELS = 2000


class LabelError(ValueError):
    """Labels that cannot be printed as asked; the message is a sentence with the remedy."""


@dataclass(frozen=True)
class Sheet:
    """Labels of `width_mm` × `height_mm` on a page; the pitch is from one label's edge to the next one's."""

    key: str
    title: str
    page_mm: tuple[float, float]
    width_mm: float
    height_mm: float
    columns: int
    rows: int
    left_mm: float
    top_mm: float
    column_pitch_mm: float
    row_pitch_mm: float

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    def places(self, count: int, start: int) -> Iterator[tuple[int, float, float]]:
        """(page, left, top) of each label in mm, row by row; `start` is the first unused place, from 1."""
        if not 1 <= start <= self.per_page:
            raise LabelError(f"{self.title} has places 1 to {self.per_page}; it cannot start at {start}.")
        if not 0 < count <= MOST_LABELS:
            raise LabelError(f"{count} labels cannot be printed; choose 1 to {MOST_LABELS}.")
        for index in range(start - 1, start - 1 + count):
            page, place = divmod(index, self.per_page)
            row, column = divmod(place, self.columns)
            yield (
                page,
                self.left_mm + column * self.column_pitch_mm,
                self.top_mm + row * self.row_pitch_mm,
            )


@dataclass(frozen=True)
class Roll:
    """Labels of a thermal printer, one after the other."""

    key: str
    title: str
    width_mm: float
    height_mm: float
    dots_per_mm: int


SHEETS = {
    sheet.key: sheet
    for sheet in (
        Sheet("L7651", "Avery L7651, 65 of 38.1 × 21.2 mm", A4_MM, 38.1, 21.2, 5, 13, 4.75, 10.7, 40.6, 21.2),
        Sheet("L7636", "Avery L7636, 48 of 45.7 × 21.2 mm", A4_MM, 45.7, 21.2, 4, 12, 9.8, 21.3, 48.3, 21.2),
        Sheet("L4778", "Avery L4778, 48 of 45.7 × 21.2 mm", A4_MM, 45.7, 21.2, 4, 12, 9.8, 21.3, 48.3, 21.2),
        Sheet("L7160", "Avery L7160, 21 of 63.5 × 38.1 mm", A4_MM, 63.5, 38.1, 3, 7, 7.2, 15.15, 66.0, 38.1),
        Sheet("L4731", "Avery L4731, 189 of 25.4 × 10 mm", A4_MM, 25.4, 10.0, 7, 27, 8.6, 13.5, 27.9, 10.0),
        Sheet(
            "5167", "Avery 5167, 80 of 44.5 × 12.7 mm", LETTER_MM, 44.45, 12.7, 4, 20, 7.62, 12.7, 52.07, 12.7
        ),
    )
}

ROLLS = {
    roll.key: roll
    for roll in (
        Roll("51x25", "51 × 25 mm, 203 dpi", 50.8, 25.4, 8),
        Roll("38x25", "38 × 25 mm, 203 dpi", 38.1, 25.4, 8),
        Roll("51x25-300", "51 × 25 mm, 300 dpi", 50.8, 25.4, 12),
        Roll("32x13", "32 × 13 mm, 300 dpi", 31.75, 12.7, 12),
    )
}
