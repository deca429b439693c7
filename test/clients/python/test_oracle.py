"""Verdicts of the policy `strict` on Avro pairs, against the compatibility module of Python's own `avro` package."""

import json
import os
import random
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

URL = os.environ.get("REGISTRY_URL", "http://127.0.0.1:8080")
VECTORS = Path(__file__).parents[3] / "contract" / "vectors" / "avro" / "compatibility.json"
SEED = int(os.environ.get("ORACLE_SEED", "20261124"))
PAIRS = int(os.environ.get("ORACLE_PAIRS", "400"))

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


def ours(reader, writer):
    """The verdict, or None of a schema that may only have been stored: by other rules than those of today."""

    def side(schema):
        return {"format": "avro", "content": schema}

    body = json.dumps({"reader": side(reader), "writer": side(writer), "policy": "strict"}).encode()
    request = urllib.request.Request(
        f"{URL}/api/v1/compatibility/check", data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["compatible"]
    except urllib.error.HTTPError as error:
        if error.code != 422:
            raise
        return None


def theirs(reader, writer):
    found = ReaderWriterCompatibilityChecker().get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    return found.compatibility is SchemaCompatibilityType.compatible


def is_beyond_the_module(schema):
    """The module leaves aliases to its caller, ignores an enum's own default, and takes an error for another type than a record."""
    text = json.dumps(schema)
    return '"aliases"' in text or '"error"' in text or ('"enum"' in text and '"default"' in text)


class Generator:
    """Schemas small enough to read, with every kind of type; a mutation is a schema generated from the same names."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def schema(self, depth=3, names=None):
        names = names if names is not None else iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        kind = self.random.choice(["primitive"] * 3 + (["array", "map", "record", "record", "enum", "fixed", "union"] if depth else []))
        if kind == "primitive":
            return self.random.choice(PRIMITIVES)
        if kind == "array":
            return {"type": "array", "items": self.schema(depth - 1, names)}
        if kind == "map":
            return {"type": "map", "values": self.schema(depth - 1, names)}
        if kind == "enum":
            symbols = [symbol for symbol in ("RED", "GREEN", "BLUE") if self.random.random() < 0.7] or ["RED"]
            return {"type": "enum", "name": next(names), "symbols": symbols}
        if kind == "fixed":
            return {"type": "fixed", "name": next(names), "size": self.random.choice([4, 8])}
        if kind == "union":
            return self.random.sample(PRIMITIVES, self.random.randint(1, 3))
        fields = [
            {"name": name, "type": self.schema(depth - 1, names)} for name in "abc" if self.random.random() < 0.7
        ]
        for field in fields:
            if field["type"] == "int" and self.random.random() < 0.5:
                field["default"] = 0
        return {"type": "record", "name": next(names), "fields": fields}

    def mutated(self, schema):
        """The same schema with one part of it changed, where there is one to change."""
        if isinstance(schema, dict) and schema["type"] == "record" and schema["fields"]:
            fields = list(schema["fields"])
            at = self.random.randrange(len(fields))
            choice = self.random.random()
            if choice < 0.2:
                fields.pop(at)
            elif choice < 0.4:
                fields.append({"name": "added", "type": "string", **({"default": ""} if self.random.random() < 0.5 else {})})
            else:
                fields[at] = {"name": fields[at]["name"], "type": self.mutated(fields[at]["type"])}
            return {**schema, "fields": fields}
        if isinstance(schema, dict) and schema["type"] in ("array", "map"):
            inner = "items" if schema["type"] == "array" else "values"
            return {**schema, inner: self.mutated(schema[inner])}
        if isinstance(schema, dict) and schema["type"] == "enum":
            return {**schema, "symbols": [*schema["symbols"], "ADDED"][self.random.randint(0, 1) :]}
        return self.random.choice(PRIMITIVES)


class Oracle(unittest.TestCase):
    def agree(self, reader, writer):
        expected = theirs(reader, writer)
        self.assertEqual(ours(reader, writer), expected, f"reader {json.dumps(reader)}, writer {json.dumps(writer)}")

    def test_agrees_on_the_vectors(self):
        compared = 0
        for case in json.loads(VECTORS.read_text()):
            reader, writer = case["reader"], case["writer"]
            if is_beyond_the_module(reader) or is_beyond_the_module(writer) or ours(reader, writer) is None:
                continue
            with self.subTest(case["description"]):
                self.agree(reader, writer)
                compared += 1
        self.assertGreater(compared, 50)

    def test_agrees_on_generated_pairs(self):
        generator = Generator(SEED)
        verdicts = {True: 0, False: 0}
        for _ in range(PAIRS):
            writer = generator.schema()
            reader = generator.mutated(writer) if generator.random.random() < 0.8 else generator.schema()
            self.agree(reader, writer)
            verdicts[theirs(reader, writer)] += 1
        print(f"{PAIRS} pairs, seed {SEED}: {verdicts[True]} compatible, {verdicts[False]} not")
        self.assertGreater(min(verdicts.values()), PAIRS // 20)


if __name__ == "__main__":
    unittest.main()
