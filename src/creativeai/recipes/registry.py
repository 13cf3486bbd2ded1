"""Recipes by name: every module of this package that holds a `RECIPE` is one."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from creativeai import recipes
from creativeai.errors import TrainingError
from creativeai.recipes.contract import RecipeEntry

__all__ = ["find_preset", "find_recipe", "list_recipes"]


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
        raise TrainingError(f"unknown recipe '{name}': there are {', '.join(list_recipes())}")
    return _entries()[name]


def find_preset(recipe: RecipeEntry, name: str) -> Any:
    """The recipe's preset of that name.

    Raises:
        TrainingError: There is none.
    """
    if name not in recipe.presets:
        raise TrainingError(
            f"{recipe.name} has no preset '{name}': there are {', '.join(sorted(recipe.presets))}"
        )
    return recipe.presets[name]
