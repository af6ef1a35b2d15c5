"""What was made: people and projects, materials, recipes, preparations with their steps, samples."""

from samples.models.factors import ProcessFactors
from samples.models.materials import Material
from samples.models.people import Membership, Project, Role, User
from samples.models.preparations import Ingredient, Preparation
from samples.models.recipes import Component, Recipe
from samples.models.samples import Sample
from samples.models.steps import FurnaceSegment, Milling, OtherStep, Quench, Sintering, Step

__all__ = [
    "Component",
    "FurnaceSegment",
    "Ingredient",
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
    "Sintering",
    "Step",
    "User",
]
