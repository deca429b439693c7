import { describe, expect, it } from "vitest";
import { MAX_FIELD_DEPTH, MAX_FIELDS } from "../../../schema/avro/fields.ts";
import { avro } from "../../../schema/avro/format.ts";
import { modelOf, record } from "./schemas.ts";

describe("fields", () => {
  it("returns every field with its path, type and documentation, parents first", () => {
    const email = { ...record("Email", ["address", "string"]), namespace: "app", doc: "Where to write." };
    const schema = {
      type: "record",
      name: "User",
      namespace: "app",
      fields: [
        { name: "id", type: { type: "string", logicalType: "uuid" }, doc: "Who." },
        { name: "emails", type: { type: "array", items: email } },
        { name: "main", type: ["null", "app.Email"], default: null },
        {
          name: "labels",
          type: { type: "map", values: { type: "array", items: record("Label", ["text", "string"]) } },
        },
        { name: "backup", type: "app.Email" },
      ],
    };

    expect(avro.fields(modelOf(schema))).toEqual([
      { path: "id", type: "string", documentation: "Who.", required: true },
      { path: "emails", type: "array", documentation: null, required: true },
      { path: "emails[].address", type: "string", documentation: null, required: true },
      { path: "main", type: '["null","app.Email"]', documentation: null, required: false },
      { path: "main.address", type: "string", documentation: null, required: true },
      { path: "labels", type: "map", documentation: null, required: true },
      { path: "labels{}[].text", type: "string", documentation: null, required: true },
      { path: "backup", type: "app.Email", documentation: "Where to write.", required: true },
      { path: "backup.address", type: "string", documentation: null, required: true },
    ]);
  });

  it("starts paths at the items of a root that is not a record", () => {
    expect(avro.fields(modelOf({ type: "array", items: record("A", ["x", "int"]) }))).toMatchObject([{ path: "[].x" }]);
    expect(avro.fields(modelOf("int"))).toEqual([]);
  });

  it("does not enter a record inside itself", () => {
    const list = record("List", ["value", "int"], ["next", ["null", "List"]]);

    expect(avro.fields(modelOf(list)).map(({ path }) => path)).toEqual(["value", "next"]);
  });

  it("stops at the limits on depth and number of paths", () => {
    const deep = Array.from({ length: 40 }).reduce<unknown>((inner, _, at) => record(`R${at}`, ["f", inner]), "int");
    const doubling = [record("R0", ["x", "int"])];
    for (let at = 1; at < 20; at += 1) doubling.push(record(`R${at}`, ["a", `R${at - 1}`], ["b", `R${at - 1}`]));
    const long = "n".repeat(400_000);
    const wide = record("A", ...Array.from({ length: 1_000 }, (_, at): [string, unknown] => [`f${at}`, "int"]));

    expect(avro.fields(modelOf(deep))).toHaveLength(MAX_FIELD_DEPTH + 1);
    expect(avro.fields(modelOf(doubling))).toHaveLength(MAX_FIELDS);
    expect(JSON.stringify(avro.fields(modelOf(record("B", [long, wide])))).length).toBeLessThan(10_000_000);
  });
});

describe("topLevelNames", () => {
  it("returns the fields of the root record, or of the records in a root union", () => {
    expect(avro.topLevelNames(modelOf(record("A", ["x", "int"], ["y", record("B", ["z", "int"])])))).toEqual([
      "x",
      "y",
    ]);
    expect(
      avro.topLevelNames(modelOf(["null", record("A", ["x", "int"]), record("B", ["x", "int"], ["y", "int"])])),
    ).toEqual(["x", "y"]);
    expect(avro.topLevelNames(modelOf("string"))).toEqual([]);
  });
});
