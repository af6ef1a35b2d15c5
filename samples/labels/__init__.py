"""Labels with a QR code: on sheets as PDF, on a roll as ZPL. Pure; reportlab and segno load when drawing."""

from samples.labels.content import Label
from samples.labels.pdf import sheets_as_pdf
from samples.labels.sheets import ROLLS, SHEETS, LabelError, Roll, Sheet
from samples.labels.zpl import labels_as_zpl

__all__ = ["ROLLS", "SHEETS", "Label", "LabelError", "Roll", "Sheet", "labels_as_zpl", "sheets_as_pdf"]
