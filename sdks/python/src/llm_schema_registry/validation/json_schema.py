"""JSON Schema by the fastest engine that is installed: jsonschema-rs, or jsonschema.

What the engines and the registry may judge differently is not decided here: formats, patterns beyond a plain subset, numbers that a
double does not hold, content keywords. Such a schema is left to the registry.
"""

import json
import re
from typing import Any, Callable, List, Optional, Tuple

from ..models import ValidationError

Validator = Callable[[Any], Optional[Tuple[bool, List[ValidationError]]]]
"""Whether data is valid, and why not; None where the registry should be asked."""

_META_SCHEMAS = {
    "draft-04": "http://json-schema.org/draft-04/schema#",
    "draft-06": "http://json-schema.org/draft-06/schema#",
    "draft-07": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
_PLAIN_PATTERN = re.compile(r"\^?(?:[A-Za-z0-9 _@:;,/#%&=<>~`!'\"-]|\[(?:[A-Za-z0-9_ -])+\]|\\[.\-/]|[*+?]|\{[0-9]+(?:,[0-9]*)?\})*\$?")
"""Patterns that every regular expression engine reads alike."""
_LARGEST_SAFE_INTEGER = 2**53 - 1
_LEFT_TO_REGISTRY = frozenset({"format", "contentEncoding", "contentMediaType", "$vocabulary", "$recursiveRef", "$dynamicRef"})
_MAX_ERRORS = 100
_MAX_DEPTH = 200


def compile_json_schema(schema: Any, dialect: str) -> Optional[Validator]:
    """Prepares a schema that contains all that it refers to; ``None`` is left to the registry."""
    meta_schema = _META_SCHEMAS.get(dialect)
    if meta_schema is None or not _is_decided_here(schema):
        return None
    if isinstance(schema, dict) and "$schema" not in schema:
        schema = {"$schema": meta_schema, **schema}
    return _compile_rs(schema) or _compile_pure(schema, meta_schema)


def _compile_rs(schema: Any) -> Optional[Validator]:
    try:
        import jsonschema_rs
    except ImportError:
        return None
    try:
        validator = jsonschema_rs.validator_for(schema)
    except Exception:
        return None

    def validate(data: Any) -> Optional[Tuple[bool, List[ValidationError]]]:
        if not _is_plain(data):
            return None
        data = _with_whole_numbers(data)
        if validator.is_valid(data):
            return True, []
        errors = [
            ValidationError(pointer=_pointer(error.instance_path), message=str(error.message), keyword=_last_keyword(error.schema_path))
            for error, _ in zip(validator.iter_errors(data), range(_MAX_ERRORS))
        ]
        return False, errors

    return validate


def _compile_pure(schema: Any, meta_schema: str) -> Optional[Validator]:
    try:
        from jsonschema.validators import validator_for
        from referencing import Registry
        from referencing.exceptions import Unresolvable
    except ImportError:
        return None
    validator_class = validator_for(schema if isinstance(schema, dict) else {"$schema": meta_schema})
    # Nothing is fetched: a reference that leads out of the schema is left to the registry.
    registry: Any = Registry()
    validator = validator_class(schema, registry=registry)

    def validate(data: Any) -> Optional[Tuple[bool, List[ValidationError]]]:
        if not _is_plain(data):
            return None
        data = _with_whole_numbers(data)
        try:
            found = [
                ValidationError(pointer=_pointer(error.absolute_path), message=error.message, keyword=str(error.validator))
                for error, _ in zip(validator.iter_errors(data), range(_MAX_ERRORS))
            ]
        except (Unresolvable, RecursionError):
            return None
        return not found, found

    return validate


def _is_decided_here(schema: Any) -> bool:
    """Whether no part of it is judged differently by another engine.

    Values below `const` and `enum` count as parts, which errs on the safe side.
    """
    open_parts: List[Any] = [schema]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, dict):
            if not _LEFT_TO_REGISTRY.isdisjoint(part):
                return False
            pattern = part.get("pattern")
            if isinstance(pattern, str) and _PLAIN_PATTERN.fullmatch(pattern) is None:
                return False
            named = part.get("patternProperties")
            if isinstance(named, dict) and any(_PLAIN_PATTERN.fullmatch(name) is None for name in named):
                return False
            if isinstance(part.get("multipleOf"), float):
                return False
            open_parts.extend(part.values())
        elif isinstance(part, list):
            open_parts.extend(part)
        elif isinstance(part, (int, float)) and not isinstance(part, bool) and abs(part) > _LARGEST_SAFE_INTEGER:
            return False
    return True


def _is_plain(data: Any, depth: int = 0) -> bool:
    """Whether data is JSON as json.loads gives it, of a depth and with numbers that every engine reads alike."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(data, dict):
        return all(isinstance(name, str) and _is_plain(value, depth + 1) for name, value in data.items())
    if isinstance(data, list):
        return all(_is_plain(item, depth + 1) for item in data)
    if isinstance(data, bool) or data is None or isinstance(data, str):
        return True
    return isinstance(data, (int, float)) and abs(data) <= _LARGEST_SAFE_INTEGER


def _with_whole_numbers(data: Any) -> Any:
    """Writes 2.0 as 2: in draft 4 the validators know integers by their spelling."""
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, dict):
        return {name: _with_whole_numbers(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_with_whole_numbers(item) for item in data]
    return data


def _pointer(path: Any) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _last_keyword(path: Any) -> str:
    words = [str(part) for part in path]
    return words[-1] if words else "false schema"


def to_plain(data: Any) -> Any:
    """Data as it would be sent: Pydantic models become their JSON."""
    dump = getattr(data, "model_dump", None)
    return dump(mode="json") if callable(dump) else data


def parse_text(content: Any) -> Any:
    """A schema that was registered as text."""
    return json.loads(content) if isinstance(content, str) else content
