"""The Python client python-schema-registry-client against the registry at REGISTRY_URL."""

import asyncio
import os
import unittest
import uuid

from schema_registry.client import AsyncSchemaRegistryClient, SchemaRegistryClient, schema
from schema_registry.client.errors import ClientError
from schema_registry.serializers import AsyncAvroMessageSerializer, AvroMessageSerializer, JsonMessageSerializer

URL = os.environ.get("REGISTRY_URL", "http://127.0.0.1:8080")


def user(*fields):
    return {"type": "record", "name": "User", "namespace": "com.example", "fields": [*fields]}


NAME = {"name": "name", "type": "string"}
USER = user(NAME)
USER_WITH_EMAIL = user(NAME, {"name": "email", "type": ["null", "string"], "default": None})
USER_WITH_AGE = user(*USER_WITH_EMAIL["fields"], {"name": "age", "type": "int", "default": 0})
INCOMPATIBLE_USER = user(NAME, {"name": "must", "type": "string"})
PERSON = {"type": "object", "title": "Person", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def client():
    """Each has a cache of its own, so that a new one asks the registry."""
    return SchemaRegistryClient(URL)


def unique(name):
    return f"python-{name}-{uuid.uuid4().hex[:8]}"


class Registry(unittest.TestCase):
    def test_a_subject_lives_and_dies(self):
        registry, subject = client(), unique("life")

        first = registry.register(subject, USER)
        second = registry.register(subject, USER_WITH_EMAIL)

        with self.assertRaises(ClientError) as refused:
            registry.register(subject, INCOMPATIBLE_USER)
        self.assertEqual(refused.exception.http_code, 409)
        self.assertFalse(registry.test_compatibility(subject, INCOMPATIBLE_USER))
        self.assertTrue(registry.test_compatibility(subject, USER))
        self.assertIn("must", registry.test_compatibility(subject, INCOMPATIBLE_USER, verbose=True)["messages"][0])
        self.assertEqual(client().check_version(subject, USER).version, 1)
        self.assertIsNone(client().check_version(subject, USER_WITH_AGE))
        self.assertEqual(registry.get_versions(subject), [1, 2])
        self.assertIn(subject, registry.get_subjects())
        self.assertEqual(registry.get_schema(subject).schema_id, second)
        self.assertEqual(registry.get_schema(subject, 1).schema.raw_schema, USER)
        self.assertEqual(client().get_by_id(first).raw_schema, USER)
        self.assertIn(subject, [use.subject for use in client().get_schema_subject_versions(second)])
        self.assertEqual(registry.delete_version(subject, 1), 1)
        self.assertEqual(registry.delete_subject(subject), [2])
        self.assertEqual(client().get_versions(subject), [])
        self.assertIsNone(client().get_schema(subject))

    def test_a_deleted_subject_is_registered_again_and_evolves(self):
        subject = unique("again")
        first = client().register(subject, USER)
        self.assertEqual(client().delete_subject(subject), [1])

        again = client().register(subject, USER)
        client().register(subject, USER_WITH_EMAIL)

        self.assertEqual(again, first)
        self.assertEqual(client().check_version(subject, USER).version, 2)
        self.assertEqual(client().get_versions(subject), [2, 3])
        self.assertEqual(client().get_schema(subject).schema.raw_schema, USER_WITH_EMAIL)
        self.assertFalse(client().test_compatibility(subject, INCOMPATIBLE_USER))

    def test_a_deleted_version_is_registered_again_and_evolves(self):
        subject = unique("again-version")
        first = client().register(subject, USER)
        client().register(subject, USER_WITH_EMAIL)
        self.assertEqual(client().delete_version(subject, 1), 1)

        self.assertEqual(client().register(subject, USER), first)
        client().register(subject, USER_WITH_AGE)

        self.assertEqual(client().get_versions(subject), [2, 3, 4])
        self.assertEqual(client().get_schema(subject, 4).schema.raw_schema, USER_WITH_AGE)

    def test_compatibility(self):
        registry, subject = client(), unique("config")

        self.assertTrue(registry.update_compatibility("FULL", subject))

        self.assertEqual(registry.get_compatibility(subject), "FULL")
        self.assertEqual(registry.get_compatibility(), "BACKWARD")


class Serializers(unittest.TestCase):
    def test_avro_round_trip(self):
        topic = unique("avro")

        data = AvroMessageSerializer(client()).encode_record_with_schema(
            f"{topic}-value", schema.AvroSchema(USER), {"name": "Ada"}
        )
        read = AvroMessageSerializer(client(), reader_schema=USER_WITH_AGE).decode_message(data)

        self.assertEqual(data[0], 0)
        self.assertEqual(read, {"name": "Ada", "email": None, "age": 0})

    def test_json_round_trip(self):
        topic = unique("json")

        data = JsonMessageSerializer(client()).encode_record_with_schema(
            f"{topic}-value", schema.JsonSchema(PERSON), {"name": "Ada"}
        )

        self.assertEqual(JsonMessageSerializer(client()).decode_message(data), {"name": "Ada"})

    def test_asynchronous_round_trip(self):
        async def run():
            topic = unique("async")
            serializer = AsyncAvroMessageSerializer(AsyncSchemaRegistryClient(URL))
            data = await serializer.encode_record_with_schema(
                f"{topic}-value", schema.AvroSchema(USER), {"name": "Ada"}
            )
            return await AsyncAvroMessageSerializer(AsyncSchemaRegistryClient(URL)).decode_message(data)

        self.assertEqual(asyncio.run(run()), {"name": "Ada"})


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
