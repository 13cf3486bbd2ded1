"""Recipes by name: every module of this package that holds a `RECIPE`, and those of text encoders."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from creativeai import recipes
from creativeai.errors import TrainingError
from creativeai.recipes.contract import RecipeEntry
from creativeai.recipes.encoders.contract import EncoderRecipeEntry
from creativeai.recipes.encoders.registry import ENCODER_RECIPES

__all__ = [
    "find_entry",
    "find_preset",
    "find_recipe",
    "is_encoder",
    "list_encoders",
    "list_recipes",
]


@cache
def _entries() -> dict[str, RecipeEntry]:
    names = [module.name for module in pkgutil.iter_modules(recipes.__path__) if module.name != "registry"]
    modules = [importlib.import_module(f"{recipes.__name__}.{name}") for name in names]
    return {module.RECIPE.name: module.RECIPE for module in modules if hasattr(module, "RECIPE")}


def list_recipes() -> list[str]:
    """Names of all recipes."""
    return sorted(_entries())


def find_recipe(name: str) -> RecipeEntry:
    """The recipe of that name.

    Raises:
        TrainingError: There is none.
    """
    if name not in _entries():
        known = ", ".join([*list_recipes(), *list_encoders()])
        raise TrainingError(f"unknown recipe '{name}': there are {known}")
    return _entries()[name]


def list_encoders() -> list[str]:
    """Names of all trainable text encoders."""
    return sorted(ENCODER_RECIPES)


def is_encoder(name: str) -> bool:
    """Whether a name is that of a trainable text encoder."""
    return name in ENCODER_RECIPES


def find_entry(name: str) -> RecipeEntry | EncoderRecipeEntry:
    """What is trained by that name, a generator or a text encoder.

    Raises:
        TrainingError: There is none.
    """
    return ENCODER_RECIPES[name] if is_encoder(name) else find_recipe(name)


def find_preset(recipe: RecipeEntry | EncoderRecipeEntry, name: str) -> Any:
    """The recipe's preset of that name.

    Raises:
        TrainingError: There is none.
    """
    if name not in recipe.presets:
        raise TrainingError(
            f"{recipe.name} has no preset '{name}': there are {', '.join(sorted(recipe.presets))}"
        )
    return recipe.presets[name]
