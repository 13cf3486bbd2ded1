"""JSON to frozen dataclasses, strictly.

Not pydantic, which would take 0.12 s of every `creativeai generate`: reading a manifest needs only a few
kinds of values.
"""

from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

_KIND_NAMES = {str: "text", int: "a whole number", float: "a number", dict: "an object", list: "a list"}


def from_json(kind: Any, value: Any, place: str = "") -> Any:
    """Build a value of a type from what JSON has in its place.

    Args:
        kind: A dataclass, `str`, `int`, `float`, `Any`, or a `tuple[X, ...]`, `dict[str, X]` or `X | None` of
            these. A dataclass may check its values in `__post_init__` and raise a ValueError.
        value: What `creativeai.strict_json.parse_json` read.
        place: Where that is, for messages.

    Raises:
        ValueError: A value is missing, unknown, of another type, or not what its dataclass allows.
    """
    if is_dataclass(kind):
        return _dataclass_from_json(kind, _checked(dict, value, place), place)
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is tuple:
            items = enumerate(_checked(list, value, place))
            return tuple(from_json(arguments[0], item, f"{place}[{index}]") for index, item in items)
        case origin if origin is dict:
            entries = _checked(dict, value, place).items()
            return {key: from_json(arguments[1], item, f"{place}.{key}") for key, item in entries}
        case origin if origin is UnionType:
            return None if value is None else from_json(arguments[0], value, place)
    if kind is Any:
        return value
    if kind is float and type(value) is int:
        return float(_checked(int, value, place))
    return _checked(kind, value, place)


def _dataclass_from_json(kind: Any, values: dict[str, Any], place: str) -> Any:
    known = {field.name: field for field in fields(kind)}
    for name in values:
        if name not in known:
            raise ValueError(f"{_join(place, name[:80])} is unknown")
    for name, field in known.items():
        if name not in values and field.default is MISSING:
            raise ValueError(f"{_join(place, name)} is missing")
    types = get_type_hints(kind)
    built = {name: from_json(types[name], value, _join(place, name)) for name, value in values.items()}
    try:
        return kind(**built)
    except ValueError as error:
        raise ValueError(_join(place, str(error))) from None


def _checked(kind: type, value: Any, place: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{place or 'the content'} must be {_KIND_NAMES[kind]}")
    return value


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
