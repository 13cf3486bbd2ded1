"""`--set field=value`: a configuration with some fields changed, typed and checked."""

import ast
import dataclasses
import math
import types
import typing
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from creativeai.errors import TrainingError

__all__ = ["apply_settings", "config_from_dict", "config_to_dict"]


def apply_settings(config: Any, settings: Sequence[str]) -> Any:
    """The frozen dataclass with every `field=value` (or `field.field=value`) put in place, all at once.

    Raises:
        TrainingError: A setting is malformed, names no field, has the wrong type or makes the configuration
            invalid.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise TrainingError(f"--set {setting!r}: write it as field=value")
        *groups, last = name.strip().split(".")
        kind, place = type(config), changes
        for group in groups:
            kind = _type_of(kind, group, setting)
            if not dataclasses.is_dataclass(kind):
                raise TrainingError(f"--set {setting!r}: {group} has no fields of its own")
            place = place.setdefault(group, {})
        place[last] = _parse(text.strip(), _type_of(kind, last, setting), setting)
    return _changed(config, changes)


def config_to_dict(config: Any) -> dict[str, Any]:
    """The configuration as plain values for JSON."""
    return dataclasses.asdict(config)


def config_from_dict(kind: type, values: dict[str, Any]) -> Any:
    """The configuration that `config_to_dict` made, also after a way through JSON.

    Raises:
        TrainingError: A field is unknown or a value is invalid.
    """
    hints = typing.get_type_hints(kind)
    fields = {}
    for name, value in values.items():
        if name not in hints:
            raise TrainingError(f"the configuration has an unknown field {name!r}: made by another version?")
        try:
            fields[name] = _coerced(value, hints[name])
        except ValueError:
            raise TrainingError(f"the configuration has {name}={value!r}: {_expected(hints[name])}") from None
    return _build(kind, fields)


def _type_of(kind: type, name: str, setting: str) -> Any:
    hints = typing.get_type_hints(kind)
    if name not in hints:
        raise TrainingError(f"--set {setting!r}: no field {name!r}: there are {', '.join(sorted(hints))}")
    return hints[name]


def _changed(config: Any, changes: dict[str, Any]) -> Any:
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    for name, change in changes.items():
        fields[name] = _changed(fields[name], change) if isinstance(change, dict) else change
    return _build(type(config), fields)


def _build(kind: type, fields: dict[str, Any]) -> Any:
    try:
        return kind(**fields)
    except (ValueError, TypeError) as error:
        raise TrainingError(f"this configuration can't be: {error}") from error


def _parse(text: str, hint: Any, setting: str) -> Any:
    kinds = typing.get_args(hint)
    if hint is str or (_is_choice(hint) and text in kinds):
        return text
    if str in kinds and text not in ("", "None"):  # a name that may be left out
        return text
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text.lower(), text))
        return _coerced(value, hint)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # literal_eval raises them all
        raise TrainingError(f"--set {setting!r}: {_expected(hint)}") from None


def _coerced(value: Any, hint: Any) -> Any:
    """The value as that type; whole numbers pass for floats, lists (as JSON has them) for tuples.

    Raises:
        ValueError: It isn't of that type, or not finite.
    """
    if typing.get_origin(hint) is tuple and isinstance(value, tuple | list):
        kinds = typing.get_args(hint)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        return tuple(_coerced(*pair) for pair in zip(value, kinds, strict=True))
    if isinstance(hint, types.UnionType):
        for kind in typing.get_args(hint):
            with suppress(ValueError):
                return _coerced(value, kind)
    elif dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return config_from_dict(typing.cast(type, hint), value)
    elif hint is float and type(value) in (int, float):
        with suppress(OverflowError):
            if math.isfinite(number := float(value)):
                return number
    elif type(value) is hint or (_is_choice(hint) and _is_among(value, typing.get_args(hint))):
        return value
    raise ValueError


def _is_choice(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Literal


def _is_among(value: Any, choices: tuple[Any, ...]) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in choices)


def _expected(hint: Any) -> str:
    if _is_choice(hint):
        return f"expected one of {', '.join(str(choice) for choice in typing.get_args(hint))}"
    return f"expected a value of type {hint.__name__ if isinstance(hint, type) else hint}"
