"""What was made: people and projects, materials, recipes, preparations and their steps, samples, stock."""

from samples.models.designs import Design
from samples.models.factors import ProcessFactors
from samples.models.inventory import Exposure, Lot, StockEntry
from samples.models.locations import Location
from samples.models.materials import Material
from samples.models.people import Membership, Project, Role, User
from samples.models.preparations import Ingredient, Preparation
from samples.models.recipes import Component, Recipe
from samples.models.samples import Sample
from samples.models.sharing import Invitation, ShareLink
from samples.models.steps import FurnaceSegment, Milling, OtherStep, Quench, Sintering, Step

__all__ = [
    "Component",
    "Design",
    "Exposure",
    "FurnaceSegment",
    "Ingredient",
    "Invitation",
    "Location",
    "Lot",
    "Material",
    "Membership",
    "Milling",
    "OtherStep",
    "Preparation",
    "ProcessFactors",
    "Project",
    "Quench",
    "Recipe",
    "Role",
    "Sample",
    "ShareLink",
    "Sintering",
    "Step",
    "StockEntry",
    "User",
]
