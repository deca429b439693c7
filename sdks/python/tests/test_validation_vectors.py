"""contract/vectors/validation: the answers that every SDK gives, in its process and by asking."""

import json
import uuid
from pathlib import Path
from typing import Any, Dict, List

import pytest

from llm_schema_registry import JSONSchema, SchemaRegistryClient

FILE = Path(__file__).parents[3] / "contract" / "vectors" / "validation" / "json-schema.json"
VECTORS: List[Dict[str, Any]] = json.loads(FILE.read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["description"] for vector in VECTORS])
async def test_answers_as_every_sdk_does(registry_url: str, vector: Dict[str, Any]) -> None:
    async with SchemaRegistryClient(registry_url) as client:
        vector = json.loads(json.dumps(vector).replace("$run", f"py-vector-{uuid.uuid4()}"))
        for before in vector.get("before", []):
            await register(client, before)
        schema_id = await register(client, vector)
        for expected in (True, False):
            for data in vector["valid" if expected else "invalid"]:
                assert await client.validate(data, schema_id) is expected, data
                assert await client.validate(data, schema_id, remote=True) is expected, data


async def register(client: SchemaRegistryClient, vector: Dict[str, Any]) -> str:
    subject = vector.get("subject", f"py-vector-{uuid.uuid4()}")
    return await client.register_schema(subject, JSONSchema(vector["schema"]), references=vector.get("references", []))
