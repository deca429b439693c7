"""The Python client confluent-kafka[schemaregistry] against the registry at REGISTRY_URL."""

import json
import os
import unittest
import uuid

from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    ServerConfig,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.common.schema_registry_client import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

URL = os.environ.get("REGISTRY_URL", "http://127.0.0.1:8080")

USER = {
    "type": "record",
    "name": "User",
    "namespace": "com.example",
    "fields": [{"name": "name", "type": "string"}, {"name": "age", "type": "int"}],
}


def client():
    return SchemaRegistryClient({"url": URL})


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def avro(schema, **more):
    return Schema(json.dumps(schema), "AVRO", **more)


def with_field(field):
    return {**USER, "fields": [*USER["fields"], field]}


def value_of(topic, headers=None):
    return SerializationContext(topic, MessageField.VALUE, headers)


class Registry(unittest.TestCase):
    def test_a_subject_lives_and_dies(self):
        registry = client()
        subject = f"{unique('life')}-value"
        evolved = with_field({"name": "email", "type": ["null", "string"], "default": None})
        incompatible = with_field({"name": "must", "type": "string"})

        first = registry.register_schema(subject, avro(USER))
        second = registry.register_schema_full_response(subject, avro(evolved))

        self.assertEqual(second.version, 2)
        with self.assertRaises(SchemaRegistryError) as refused:
            registry.register_schema(subject, avro(incompatible))
        self.assertEqual(refused.exception.http_status_code, 409)
        self.assertFalse(registry.test_compatibility(subject, avro(incompatible)))
        self.assertTrue(registry.test_compatibility(subject, avro(USER)))
        self.assertEqual(registry.lookup_schema(subject, avro(USER)).schema_id, first)
        self.assertEqual(registry.get_versions(subject), [1, 2])
        self.assertIn(subject, registry.get_subjects())
        self.assertEqual(registry.get_latest_version(subject).schema_id, second.schema_id)
        self.assertEqual(registry.get_version(subject, 1).schema_id, first)
        self.assertEqual(json.loads(client().get_schema(first).schema_str), USER)
        self.assertEqual(json.loads(client().get_schema(first, subject).schema_str), USER)
        self.assertEqual(json.loads(client().get_schema_by_guid(second.guid).schema_str), evolved)
        self.assertEqual(registry.delete_version(subject, 1), 1)
        self.assertEqual(registry.delete_subject(subject), [2])
        self.assertEqual(registry.delete_subject(subject, True), [1, 2])
        with self.assertRaises(SchemaRegistryError) as missing:
            client().get_versions(subject)
        self.assertEqual(missing.exception.error_code, 40401)

    def test_a_deleted_subject_is_registered_again_and_evolves(self):
        subject = f"{unique('again')}-value"
        evolved = with_field({"name": "email", "type": ["null", "string"], "default": None})
        first = client().register_schema(subject, avro(USER))
        self.assertEqual(client().delete_subject(subject), [1])

        again = client().register_schema_full_response(subject, avro(USER))
        second = client().register_schema_full_response(subject, avro(evolved))

        self.assertEqual((again.schema_id, again.version, second.version), (first, 2, 3))
        self.assertEqual(client().get_versions(subject), [2, 3])
        self.assertEqual(client().lookup_schema(subject, avro(USER)).version, 2)
        self.assertEqual(client().get_latest_version(subject).version, 3)
        self.assertEqual(client().delete_subject(subject), [2, 3])
        self.assertEqual(client().delete_subject(subject, True), [2, 3])
        client().register_schema(subject, avro(evolved))
        self.assertEqual(len(client().get_versions(subject)), 1)

    def test_a_deleted_version_is_registered_again_and_evolves(self):
        subject = f"{unique('again-version')}-value"
        email = {"name": "email", "type": ["null", "string"], "default": None}
        first = client().register_schema(subject, avro(USER))
        client().register_schema(subject, avro(with_field(email)))
        self.assertEqual(client().delete_version(subject, 1), 1)

        again = client().register_schema_full_response(subject, avro(USER))
        incompatible = with_field({"name": "must", "type": "string"})
        with self.assertRaises(SchemaRegistryError) as refused:
            client().register_schema(subject, avro(incompatible))
        nickname = with_field({"name": "nickname", "type": "string", "default": ""})
        evolved = client().register_schema_full_response(subject, avro(nickname))

        self.assertEqual((again.schema_id, again.version, evolved.version), (first, 3, 4))
        self.assertEqual(refused.exception.http_status_code, 409)
        self.assertEqual(client().get_versions(subject), [2, 3, 4])

    def test_compatibility_and_config(self):
        registry = client()
        subject = f"{unique('config')}-value"

        registry.set_compatibility(subject, "FULL")
        registry.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.NONE, compatibility_group="major"))

        self.assertEqual(registry.get_compatibility(subject), "NONE")
        self.assertEqual(registry.get_config(subject).compatibility_group, "major")

    def test_metadata(self):
        registry = client()
        subject = f"{unique('metadata')}-value"
        properties = MetadataProperties({"major": "1"})
        registry.register_schema(subject, avro(USER, metadata=Metadata(None, properties, None)))

        found = registry.get_latest_with_metadata(subject, {"major": "1"})

        self.assertEqual(found.version, 1)
        self.assertEqual(found.schema.metadata.properties.properties, {"major": "1"})


class Associations(unittest.TestCase):
    def test_a_topic_is_associated_with_a_subject_of_another_name(self):
        registry = client()
        topic, subject = unique("orders.v1"), unique("associated")
        registry.register_schema(subject, avro(USER))
        value = AssociationCreateOrUpdateInfo(subject=subject, association_type="value", lifecycle="WEAK")
        created = registry.create_association(
            AssociationCreateOrUpdateRequest(topic, "lkc-1", f"lkc-1:{topic}", "topic", [value])
        )
        serializer = AvroSerializer(
            client(), json.dumps(USER), conf={"subject.name.strategy.type": "ASSOCIATED", "auto.register.schemas": False}
        )

        data = serializer({"name": "Ada", "age": 36}, value_of(topic))

        self.assertEqual([info.subject for info in created.associations], [subject])
        self.assertEqual(int.from_bytes(data[1:5], "big"), registry.get_latest_version(subject).schema_id)
        registry.delete_associations(f"lkc-1:{topic}")
        self.assertEqual(registry.get_associations_by_resource_name(topic, "-"), [])

    def test_a_schema_comes_along_and_goes_with_its_topic(self):
        registry = client()
        topic = unique("frozen")
        value = AssociationCreateOrUpdateInfo(association_type="value", schema=avro(USER))
        request = AssociationCreateOrUpdateRequest(topic, "lkc-1", f"lkc-1:{topic}", "topic", [value])

        [info] = registry.create_association(request).associations

        self.assertEqual((info.subject, info.lifecycle, info.frozen), (f":.lkc-1:{topic}-value", "STRONG", True))
        stored = registry.get_latest_version(info.subject)
        self.assertEqual(info.schema.schema_str, stored.schema.schema_str)
        registry.delete_associations(f"lkc-1:{topic}", cascade_lifecycle=True)
        self.assertNotIn(info.subject, registry.get_subjects())


class AvroSerde(unittest.TestCase):
    def test_round_trip(self):
        topic = unique("avro")
        serializer = AvroSerializer(client(), json.dumps(USER))

        data = serializer({"name": "Ada", "age": 36}, value_of(topic))
        read = AvroDeserializer(client())(data, value_of(topic))

        self.assertEqual(data[0], 0)
        self.assertEqual(read, {"name": "Ada", "age": 36})

    def test_references(self):
        registry = client()
        topic = unique("avro-reference")
        address = {"type": "record", "name": "Address", "fields": [{"name": "city", "type": "string"}]}
        person = {"type": "record", "name": "Person", "fields": [{"name": "home", "type": "Address"}]}
        registry.register_schema(f"{topic}-address", avro(address))
        references = [SchemaReference("Address", f"{topic}-address", 1)]
        schema = avro(person, references=references)

        data = AvroSerializer(registry, schema)({"home": {"city": "Paris"}}, value_of(topic))
        read = AvroDeserializer(client())(data, value_of(topic))

        self.assertEqual(read, {"home": {"city": "Paris"}})

    def test_guid_in_a_header(self):
        topic = unique("avro-header")
        conf = {"schema.id.serializer": header_schema_id_serializer}
        headers = []

        serializer = AvroSerializer(client(), json.dumps(USER), conf=conf)
        data = serializer({"name": "Ada Lovelace", "age": 36}, value_of(topic, headers))
        read = AvroDeserializer(client())(data, value_of(topic, headers))

        self.assertEqual(len(headers), 1)
        self.assertEqual(read["name"], "Ada Lovelace")

    def test_rules(self):
        registry = client()
        topic = unique("rules")
        rule = Rule("adult", None, RuleKind.CONDITION, RuleMode.WRITE, "CEL", None, None, "message.age >= 18", None, None, False)
        rule_set = RuleSet(None, [rule])
        registry.register_schema(f"{topic}-value", avro(USER, rule_set=rule_set))
        rules = RuleRegistry()
        rules.register_executor(CelExecutor())
        conf = {"auto.register.schemas": False, "use.latest.version": True}
        serializer = AvroSerializer(registry, None, conf=conf, rule_registry=rules)

        data = serializer({"name": "Ada", "age": 36}, value_of(topic))

        self.assertEqual(AvroDeserializer(client(), rule_registry=rules)(data, value_of(topic))["name"], "Ada")
        with self.assertRaises(Exception):
            serializer({"name": "Bo", "age": 3}, value_of(topic))


    def test_a_message_is_read_after_its_subject_was_deleted_and_registered_again(self):
        topic = unique("avro-again")
        evolved = with_field({"name": "email", "type": ["null", "string"], "default": None})
        before = AvroSerializer(client(), json.dumps(USER))({"name": "Ada", "age": 36}, value_of(topic))
        client().delete_subject(f"{topic}-value")

        again = AvroSerializer(client(), json.dumps(USER))({"name": "Bo", "age": 3}, value_of(topic))
        after = AvroSerializer(client(), json.dumps(evolved))({"name": "Cy", "age": 4, "email": "c"}, value_of(topic))

        read = [AvroDeserializer(client())(data, value_of(topic)) for data in (before, again, after)]
        self.assertEqual([message["name"] for message in read], ["Ada", "Bo", "Cy"])
        self.assertEqual(before[:5], again[:5])
        self.assertEqual(client().get_versions(f"{topic}-value"), [2, 3])


class JsonSerde(unittest.TestCase):
    def test_round_trip(self):
        topic = unique("json")
        schema = {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "User",
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        }

        data = JSONSerializer(json.dumps(schema), client())({"name": "Ada"}, value_of(topic))
        read = JSONDeserializer(json.dumps(schema), schema_registry_client=client())(data, value_of(topic))

        self.assertEqual(read, {"name": "Ada"})


class ProtobufSerde(unittest.TestCase):
    def test_round_trip(self):
        """The client registers base64 descriptors and asks for format=serialized."""
        topic = unique("protobuf")
        file = descriptor_pb2.FileDescriptorProto(name=f"{topic}.proto", package="com.example", syntax="proto3")
        for message, field in (("Other", "n"), ("Author", "name")):
            declared = file.message_type.add(name=message)
            declared.field.add(name=field, number=1, type=9, label=1, json_name=field)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        author = message_factory.GetMessageClass(pool.FindMessageTypeByName("com.example.Author"))

        serializer = ProtobufSerializer(author, client(), {"use.deprecated.format": False})
        data = serializer(author(name="Ada"), value_of(topic))
        deserializer = ProtobufDeserializer(author, {"use.deprecated.format": False}, client())
        read = deserializer(data, value_of(topic))

        self.assertEqual(read.name, "Ada")
        stored = client().get_latest_version(f"{topic}-value")
        self.assertIn("message Author", stored.schema.schema_str)

    def test_imports(self):
        topic = unique("protobuf-import")
        pool = descriptor_pool.Default()
        base = descriptor_pb2.FileDescriptorProto(name=f"{topic}/base.proto", package="base", syntax="proto3")
        base.message_type.add(name="Place").field.add(name="city", number=1, type=9, label=1, json_name="city")
        file = descriptor_pb2.FileDescriptorProto(name=f"{topic}/person.proto", package="top", syntax="proto3")
        file.dependency.append(base.name)
        person = file.message_type.add(name="Person")
        person.field.add(name="home", number=1, type=11, label=1, type_name=".base.Place", json_name="home")
        pool.Add(base)
        pool.Add(file)
        message = message_factory.GetMessageClass(pool.FindMessageTypeByName("top.Person"))
        sent = message()
        sent.home.city = "Paris"

        data = ProtobufSerializer(message, client(), {"use.deprecated.format": False})(sent, value_of(topic))
        read = ProtobufDeserializer(message, {"use.deprecated.format": False}, client())(data, value_of(topic))

        self.assertEqual(read.home.city, "Paris")


@unittest.skipUnless("GUARDED_REGISTRY_URL" in os.environ, "no registry that asks for credentials")
class BasicCredentials(unittest.TestCase):
    """A registry that asks for credentials, and the id and secret of a key as user and password."""

    def client(self, user_info):
        return SchemaRegistryClient({"url": os.environ["GUARDED_REGISTRY_URL"], "basic.auth.user.info": user_info})

    def test_registers_and_reads_with_a_key(self):
        guarded = self.client(os.environ["GUARDED_REGISTRY_USER_INFO"])
        subject = unique("basic")

        schema_id = guarded.register_schema(subject, avro(USER))

        self.assertEqual(guarded.get_latest_version(subject).schema_id, schema_id)
        self.assertIn(subject, guarded.get_subjects())

    def test_is_refused_with_another_secret(self):
        user = os.environ["GUARDED_REGISTRY_USER_INFO"].split(":")[0]
        with self.assertRaises(SchemaRegistryError) as refused:
            self.client(f"{user}:{'0' * 64}").get_subjects()

        self.assertEqual((refused.exception.http_status_code, refused.exception.error_code), (401, 401))


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
