"""The clients against a started registry: what no scripted server can show."""

import uuid
from typing import List, Optional

import httpx
import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from llm_schema_registry import (
    AvroSchema,
    JSONSchema,
    NotFound,
    PreconditionFailed,
    ProtobufSchema,
    SchemaRegistryClient,
    SearchFilters,
    SyncSchemaRegistry,
)
from llm_schema_registry.fastapi import validated
from llm_schema_registry.pydantic import pull, push


def new_subject(name: str) -> str:
    return f"py-{name}/%é-{uuid.uuid4()}"


async def test_registers_all_three_formats(registry_url: str) -> None:
    async with SchemaRegistryClient(registry_url) as client:
        avro = await client.register_schema(new_subject("avro"), AvroSchema({"type": "record", "name": "A", "fields": []}))
        protobuf = await client.register_schema(new_subject("proto"), ProtobufSchema('syntax = "proto3"; message M {}'))

        assert (await client.get_schema(avro)).format == "avro"
        assert (await client.get_schema(protobuf)).version == "1.0.0"


async def test_reads_its_own_writes(registry_url: str) -> None:
    subject = new_subject("evolve")
    async with SchemaRegistryClient(registry_url) as client:
        await client.register_schema(subject, {"type": "object"}, compatibility_level="NONE")
        await client.latest(subject)
        second = await client.register_schema(subject, {"type": "array"})

        assert (await client.latest(subject)).id == second
        assert len(await client.list_versions(subject).to_list()) == 2


async def test_validates_with_references(registry_url: str) -> None:
    shared, name = new_subject("shared"), "https://example.test/age.json"
    async with SchemaRegistryClient(registry_url) as client:
        await client.register_schema(shared, {"type": "integer", "minimum": 0})
        references = [{"name": name, "subject": shared, "version": 1}]
        schema = {"type": "object", "properties": {"age": {"$ref": name}}}
        schema_id = await client.register_schema(new_subject("refers"), schema, references=references)

        assert await client.validate({"age": 3}, schema_id)
        refused = await client.explain_validation({"age": -3}, schema_id)
        assert (refused.valid, refused.engine, refused.errors[0].pointer) == (False, "local", "/age")


async def test_says_why_a_check_refuses(registry_url: str) -> None:
    subject = new_subject("check")
    async with SchemaRegistryClient(registry_url) as client:
        await client.register_schema(subject, {"type": "string"})

        verdict = await client.explain_compatibility(subject, {"type": "integer"})

        assert not verdict.compatible
        assert verdict.differences[0].witness is not None
        assert verdict.differences[0].witness.status == "confirmed"


def test_changes_deletes_and_brings_back(registry_url: str) -> None:
    with SyncSchemaRegistry(registry_url) as client:
        schema_id = client.register_schema(new_subject("life"), True, owner="a", tags=["x"])

        record = client.update(schema_id, owner=None, state="deprecated", reason="replaced")
        assert (record.owner, record.tags, record.state) == (None, ["x"], "deprecated")
        with pytest.raises(PreconditionFailed):
            client.update(schema_id, owner="b", if_match='"1"')
        client.delete(schema_id)
        with pytest.raises(NotFound):
            client.get_schema(schema_id)
        assert client.undelete(schema_id).version_number == 1
        client.delete(schema_id)
        client.delete(schema_id, permanent=True)
        with pytest.raises(NotFound):
            client.undelete(schema_id)


def test_projects_decodes_and_searches(registry_url: str) -> None:
    word = f"word{uuid.uuid4().hex}"
    schema = {"title": word, "type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}, "required": ["city"]}
    with SyncSchemaRegistry(registry_url) as client:
        schema_id = client.register_schema(f"py-{word}", schema)

        assert client.project(schema_id, "openai-strict").loss == "lossless"
        decoded = client.decode(schema_id, "openai-strict", answer='{"city": "Oslo", "unit": null}')
        assert decoded.answers[0]["value"] == {"city": "Oslo"}
        hits = client.search(word, consistent=True, filters=SearchFilters(format="json-schema")).to_list()
        assert [hit.record.subject for hit in hits] == [f"py-{word}"]
        assert client.health().status == "ok"


async def test_follows_the_events_of_a_subject(registry_url: str) -> None:
    subject = new_subject("events")
    async with SchemaRegistryClient(registry_url) as client:
        schema_id = await client.register_schema(subject, {})
        seq = (await client.get_schema(schema_id)).seq
        await client.update(schema_id, owner="b")

        types: List[str] = []
        async for event in client.events(after=seq - 1):
            if event.subject == subject:
                types.append(event.type.rsplit("registry.", 1)[1])
            if len(types) == 2:
                break

        assert types == ["schema.registered", "schema.updated"]


class Customer(BaseModel):
    name: str = Field(min_length=1)
    nickname: Optional[str] = None
    ages: List[int] = []


async def test_pushes_and_pulls_a_pydantic_model(registry_url: str) -> None:
    subject = new_subject("model")
    async with SchemaRegistryClient(registry_url) as client:
        schema_id = await push(client, subject, Customer)
        pulled = await pull(client, subject)

        assert pulled.model_validate({"name": "Ada", "ages": [36]}).model_dump(exclude_none=True) == {"name": "Ada", "ages": [36]}
        with pytest.raises(ValueError, match="name"):
            pulled.model_validate({"name": ""})
        assert await client.validate(Customer(name="Ada"), schema_id)
        assert not await client.validate({"name": ""}, schema_id)


async def test_fastapi_refuses_what_the_schema_refuses(registry_url: str) -> None:
    subject = new_subject("fastapi")
    client = SchemaRegistryClient(registry_url)
    await client.register_schema(subject, JSONSchema({"type": "object", "properties": {"n": {"type": "integer"}}}))
    app = FastAPI()
    body = Depends(validated(client, subject))

    @app.post("/orders")
    async def take(order: dict = body) -> dict:
        return order

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.test") as http:
        assert (await http.post("/orders", json={"n": 1})).json() == {"n": 1}
        refused = await http.post("/orders", json={"n": "x"})
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "n"])
        assert (await http.post("/orders", content=b"{")).status_code == 400
    await client.close()
