"""Pydantic models: push a model as a schema, and make a model of a registered one."""

from typing import Any, Dict, List, Literal, Optional, Type, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

from .client import SchemaRegistryClient

_SCALARS: Dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
_LIMITS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
}


async def push(client: SchemaRegistryClient, subject: str, model: Type[BaseModel], **options: Any) -> str:
    """Registers a model's JSON Schema and returns the version's id."""
    return await client.register_schema(subject, model, **options)


async def pull(client: SchemaRegistryClient, subject: str, version: Union[int, str] = "latest") -> Type[BaseModel]:
    """A model of a registered JSON Schema whose root is an object.

    Raises:
        ValueError: the schema says what a Pydantic model cannot hold; validate with the client instead.
    """
    record = await client.get_version(subject, version)
    if record.format != "json-schema" or not isinstance(record.content, dict) or record.content.get("type") != "object":
        raise ValueError(f"{subject} is not a JSON Schema of an object.")
    return _model_of(record.content, record.content.get("title") or "Model", record.content)


def _model_of(schema: Dict[str, Any], name: str, root: Dict[str, Any]) -> Type[BaseModel]:
    required = set(schema.get("required", []))
    fields: Dict[str, Any] = {}
    for member, part in schema.get("properties", {}).items():
        part = part if isinstance(part, dict) else {}
        kind = _type_of(part, f"{name}_{member}", root)
        limits = {_LIMITS[word]: value for word, value in part.items() if word in _LIMITS}
        field_name = member if member.isidentifier() and not member.startswith(("_", "model_")) else f"field_{len(fields)}"
        if member in required:
            fields[field_name] = (kind, Field(alias=member, **limits))
        else:
            fields[field_name] = (Optional[kind], Field(default=part.get("default"), alias=member, **limits))
    extra: Any = "forbid" if schema.get("additionalProperties") is False else "allow"
    made: Type[BaseModel] = create_model(name, __config__=ConfigDict(extra=extra, populate_by_name=True), **fields)
    return made


def _type_of(part: Dict[str, Any], name: str, root: Dict[str, Any], depth: int = 0) -> Any:
    if depth > 50:
        raise ValueError(f"{name} refers to itself.")
    reference = part.get("$ref")
    if isinstance(reference, str):
        if not reference.startswith("#/"):
            raise ValueError(f"{reference} is another schema.")
        target: Any = root
        for step in reference[2:].split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return _type_of(target, name, root, depth + 1)
    if "const" in part:
        return Literal[part["const"]]
    if "enum" in part:
        return Literal[tuple(part["enum"])]
    choices = part.get("anyOf") or part.get("oneOf")
    if choices:
        return Union[tuple(_type_of(choice, f"{name}_{index}", root, depth + 1) for index, choice in enumerate(choices))]
    kind = part.get("type")
    if isinstance(kind, list):
        return Union[tuple(_type_of({**part, "type": one}, name, root, depth + 1) for one in kind)]
    if kind == "array":
        item = _type_of(part["items"], f"{name}_item", root, depth + 1) if isinstance(part.get("items"), dict) else Any
        return List[item]  # type: ignore[valid-type]
    if kind == "object":
        return _model_of(part, name, root) if part.get("properties") else Dict[str, Any]
    return _SCALARS.get(kind, Any) if isinstance(kind, str) else Any
