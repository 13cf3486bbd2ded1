"""`--set field=value`: a configuration with some fields changed, typed and checked."""

import ast
import dataclasses
import types
import typing
from collections.abc import Sequence
from typing import Any

from creativeai.errors import TrainingError

__all__ = ["apply_settings", "config_from_dict", "config_to_dict"]


def apply_settings(config: Any, settings: Sequence[str]) -> Any:
    """The frozen dataclass with each `field=value` (or `field.field=value`) put in place.

    Raises:
        TrainingError: A setting is malformed, names no field, has the wrong type or makes the configuration
            invalid.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise TrainingError(f"--set {setting}: write it as field=value")
        config = _replace(config, name.strip().split("."), text.strip(), setting)
    return config


def config_to_dict(config: Any) -> dict[str, Any]:
    """The configuration as plain values for JSON."""
    return dataclasses.asdict(config)


def config_from_dict(kind: type, values: dict[str, Any]) -> Any:
    """The configuration that `config_to_dict` made, lists turned into tuples again.

    Raises:
        TrainingError: A field is unknown or a value is invalid.
    """
    hints = typing.get_type_hints(kind)
    unknown = sorted(values.keys() - hints.keys())
    if unknown:
        raise TrainingError(
            f"the run's configuration has an unknown field '{unknown[0]}': made by another version?"
        )
    fields = {}
    for name, value in values.items():
        if dataclasses.is_dataclass(hints[name]):
            value = config_from_dict(hints[name], value)
        fields[name] = tuple(value) if isinstance(value, list) else value
    return _build(kind, fields)


def _replace(config: Any, path: list[str], text: str, setting: str) -> Any:
    hints = typing.get_type_hints(type(config))
    name = path[0]
    if name not in hints:
        raise TrainingError(f"--set {setting}: no field '{name}': there are {', '.join(sorted(hints))}")
    if len(path) > 1:
        inner = getattr(config, name)
        if not dataclasses.is_dataclass(inner):
            raise TrainingError(f"--set {setting}: '{name}' has no fields of its own")
        value = _replace(inner, path[1:], text, setting)
    else:
        value = _parse(text, hints[name], setting)
    return _build(type(config), {**_fields(config), name: value})


def _fields(config: Any) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def _build(kind: type, fields: dict[str, Any]) -> Any:
    try:
        return kind(**fields)
    except (ValueError, TypeError) as error:
        raise TrainingError(f"this configuration can't be: {error}") from error


def _parse(text: str, hint: Any, setting: str) -> Any:
    if hint is str:
        return text
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text.lower(), text))
    except (ValueError, SyntaxError) as error:
        raise TrainingError(f"--set {setting}: '{text}' is not a value of type {_name(hint)}") from error
    if hint is float and type(value) is int:
        value = float(value)
    if not _fits(value, hint):
        raise TrainingError(f"--set {setting}: '{text}' is not a value of type {_name(hint)}")
    return value


def _fits(value: Any, hint: Any) -> bool:
    if typing.get_origin(hint) is tuple:
        kinds = typing.get_args(hint)
        if not isinstance(value, tuple):
            return False
        if kinds[-1] is Ellipsis:
            kinds = (kinds[0],) * len(value)
        return len(kinds) == len(value) and all(_fits(*pair) for pair in zip(value, kinds, strict=True))
    if isinstance(hint, types.UnionType):
        return any(_fits(value, kind) for kind in typing.get_args(hint))
    return type(value) is hint or (hint is float and type(value) is int)


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
