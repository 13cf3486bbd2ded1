"""A text's words in the spelling of whoever typed it, for telling them which ones mean nothing to a model."""

from creativeai.text.wordpiece import is_punctuation, words_of

__all__ = ["words_as_typed"]


def words_as_typed(text: str) -> list[str]:
    """Runs of what is neither space nor punctuation."""
    spaced = "".join(" " if is_punctuation(character) else character for character in text)
    return [word for word in spaced.split() if words_of(word)]
