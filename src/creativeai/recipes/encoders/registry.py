"""The trainable text encoders by name."""

from creativeai.errors import TrainingError
from creativeai.recipes.encoders import char_cnn_rnn, damsm
from creativeai.recipes.encoders.contract import EncoderRecipeEntry

__all__ = ["ENCODER_RECIPES", "find_encoder_recipe"]

ENCODER_RECIPES = {entry.name: entry for entry in (char_cnn_rnn.ENTRY, damsm.ENTRY)}


def find_encoder_recipe(name: str) -> EncoderRecipeEntry:
    """The trainable text encoder of that name.

    Raises:
        TrainingError: There is none.
    """
    if name not in ENCODER_RECIPES:
        raise TrainingError(f"unknown text encoder '{name}': there are {', '.join(ENCODER_RECIPES)}")
    return ENCODER_RECIPES[name]
