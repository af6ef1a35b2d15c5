"""Materials of the registry, and the lots that are bought of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from samples import cas as registry_numbers
from samples.models import Location, Lot, Material, Sample, User
from samples.services import stock
from samples.services.codes import save_with_code
from samples.services.deriving import derive_factors, rederive
from samples.stoichiometry import StoichiometryError, composition, molar_mass_g_per_mol

LEAD = "Lead compound: harmful to fertility and the unborn child, toxic by inhalation and if swallowed."


def lead_named(formula: str, hazards: str) -> str:
    """The hazards, with lead named first when the formula holds it and nobody wrote so."""
    if not holds_lead(formula) or "lead" in hazards.lower():
        return hazards
    return f"{LEAD}\n{hazards}".strip()


def holds_lead(formula: str) -> bool:
    try:
        return "Pb" in composition(formula)
    except StoichiometryError:
        return "Pb" in formula  # CsPb(Cl,Br)3 states no amounts, and is no less poisonous


@transaction.atomic
def save_material(material: Material) -> Material:
    """Check it, compute its molar mass from the formula, name lead among its hazards, and save it.

    What was made from it gets new factors when its kind, formula or density changes.
    """
    material.name = material.name.strip()
    material.cas = material.cas.strip()
    wrong: dict[str, str] = {}
    if material.formula:
        try:
            material.molar_mass_g_per_mol = molar_mass_g_per_mol(material.formula)
        except StoichiometryError as error:
            # An alloy of unknown proportions may have been entered before; its other fields can be corrected.
            if not Material.objects.filter(pk=material.pk, formula=material.formula).exists():
                wrong["formula"] = str(error)
            material.molar_mass_g_per_mol = None
    else:
        material.molar_mass_g_per_mol = None
    if material.cas and (sentence := registry_numbers.wrong_with(material.cas)):
        wrong["cas"] = sentence
    if wrong:
        raise ValidationError(wrong)
    material.hazards = lead_named(material.formula, material.hazards)
    material.full_clean()
    is_new = material.pk is None
    material.save()
    if not is_new:
        rederive(Sample.objects.filter(material=material))
    return material


@transaction.atomic
def receive_lot(
    *,
    user: User,
    material: Material,
    code: str = "",
    name: str = "",
    state: str = Sample.State.POWDER,  # type: ignore[assignment]
    amount_g: float | None = None,
    place: Location | None = None,
    notes: str = "",
    supplier: str = "",
    catalogue_number: str = "",
    lot_number: str = "",
    purity: float | None = None,
    received_on: date | None = None,
    opened_on: date | None = None,
    expires_on: date | None = None,
) -> Sample:
    """A bottle that came: the sample with its label, and what its certificate says, or neither.

    purity : mass fraction; 99.99 % is 0.9999
    """
    sample = Sample(
        project=material.project,
        code=code.strip(),
        name=name.strip(),
        notation=material.formula or material.name,
        state=state,
        material=material,
        notes=notes.strip(),
        created_by=user,
    )
    save_with_code(sample)
    lot = Lot(
        sample=sample,
        supplier=supplier.strip(),
        catalogue_number=catalogue_number.strip(),
        lot_number=lot_number.strip(),
        purity=purity,
        received_on=received_on,
        opened_on=opened_on,
        expires_on=expires_on,
    )
    lot.full_clean(exclude=["sample"])
    lot.save()
    if amount_g is not None:
        stock.set_amount(sample, amount_g, user)
    if place is not None:
        stock.put(sample, place, user)
    derive_factors([sample])
    return sample


def correct_lot(lot: Lot, changes: dict[str, Any]) -> Lot:
    """Opened, an expiry date that was overlooked, a misread lot number; the audit trail keeps what stood."""
    for name, content in changes.items():
        setattr(lot, name, content.strip() if isinstance(content, str) else content)
    lot.full_clean()
    lot.save()
    return lot
