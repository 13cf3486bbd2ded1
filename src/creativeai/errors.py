"""Errors that are the user's to mend: one line that says what is wrong, which value, and how to fix it.

The CLI prints the message and exits with 2; the server answers it as an OpenAI error object. Anything else
that is raised is a bug and keeps its traceback.
"""


class UserError(Exception):
    """Something the user can put right. The message is one line."""


class DataError(UserError):
    """A picture, caption, metadata file or prepared dataset is missing, broken or unfit."""


class TextError(UserError):
    """A text encoder's files are missing or broken."""


class BundleError(UserError):
    """A model bundle is missing, damaged, unsafe or made by a newer version."""


class StoreError(UserError):
    """A model store is missing, can't be reached or written, or refuses what was asked for."""


class TrainingError(UserError):
    """A recipe, preset, setting or checkpoint does not fit the training asked for."""


class EvaluationError(UserError):
    """A card, report or judging network is missing, broken or unfit, or cards don't compare."""


class UnknownModelError(UserError):
    """No model of that name is known here."""


class RequestError(UserError):
    """A generation request has a value that can't be used.

    Args:
        message: One line for the user.
        param: Name of the offending field, as the REST API spells it.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param
