/** One schema of each format with what generators stumble over: keywords as names, recursion, unions, references. */
export const TYPED_SCHEMAS: Readonly<Record<string, string>> = {
  "order.json": JSON.stringify({
    title: "Order",
    description: 'An order, as "the shop" has it.\nWith a second line.',
    type: "object",
    required: ["id", "class", "lines"],
    additionalProperties: false,
    properties: {
      id: { type: "string", minLength: 3, maxLength: 10, pattern: "^o-[0-9]+$" },
      class: { enum: ["a", "b"] },
      "ship-to": { $ref: "#/$defs/Address" },
      placed: { type: "string", format: "date-time" },
      schema: { type: ["string", "null"], default: "x" },
      total: { type: "number", minimum: 0 },
      looks: { type: "string", pattern: "(?=a)b" },
      lines: { type: "array", minItems: 1, items: { type: "object", properties: { sku: { type: "string" } } } },
      tags: { type: "object", additionalProperties: { type: "string", maxLength: 5 } },
      either: { anyOf: [{ type: "integer" }, { type: "string" }] },
    },
    $defs: {
      Address: {
        type: "object",
        required: ["street"],
        properties: { street: { type: "string" }, next: { $ref: "#/$defs/Address" } },
      },
    },
  }),
  "node.avsc": JSON.stringify({
    type: "record",
    name: "Node",
    namespace: "tree",
    doc: "A node.",
    fields: [
      { name: "value", type: "long" },
      { name: "next", type: ["null", "Node"], default: null },
      { name: "kind", type: { type: "enum", name: "Kind", symbols: ["LEAF", "BRANCH"] } },
      { name: "id", type: { type: "string", logicalType: "uuid" } },
      { name: "weights", type: { type: "map", values: "double" } },
    ],
  }),
  "user.proto": `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
// A user.
message User {
  string full_name = 1;
  repeated Address addresses = 2;
  map<string, int32> scores = 3;
  google.protobuf.Timestamp created_at = 4;
  Status status = 5;
  oneof contact { string email = 6; int64 phone = 7; }
  message Address { string street = 1; }
}
enum Status { UNKNOWN = 0; ACTIVE = 1; }
`,
};
