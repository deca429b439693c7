"""A schema to register or to check, with the format that says how to read it."""

from typing import Any, Dict, Type, Union

from pydantic import BaseModel


class Schema:
    """The base of the three formats."""

    format: str

    def __init__(self, content: Any) -> None:
        self.content = content


class JSONSchema(Schema):
    """A JSON Schema: a dict or a boolean, or its text."""

    format = "json-schema"

    def __init__(self, content: Union[Dict[str, Any], bool, str]) -> None:
        super().__init__(content)


class AvroSchema(Schema):
    """An Avro schema: its JSON value, or its text."""

    format = "avro"


class ProtobufSchema(Schema):
    """The text of a .proto file."""

    format = "protobuf"

    def __init__(self, content: str) -> None:
        super().__init__(content)


SchemaInput = Union[Schema, Dict[str, Any], bool, Type[BaseModel]]
"""A schema, a dict or boolean that is a JSON Schema, or a Pydantic model."""


def to_schema(schema: SchemaInput) -> Schema:
    if isinstance(schema, Schema):
        return schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return JSONSchema(schema.model_json_schema())
    if isinstance(schema, (dict, bool)):
        return JSONSchema(schema)
    raise TypeError(f"A schema is a JSONSchema, an AvroSchema, a ProtobufSchema, a dict or a Pydantic model, not {type(schema).__name__}.")
