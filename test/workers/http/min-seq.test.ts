import { beforeEach, describe, expect, it } from "vitest";
import { avroRecord, type ProblemBody, plainRegistry, type RecordBody, type Registry } from "./native-calls.ts";

let registry: Registry;
let record: RecordBody;
let issued: string;

beforeEach(async () => {
  registry = plainRegistry();
  record = await registry.register("orders", avroRecord("a"));
  issued = (await registry.get("/subjects")).headers.get("X-Registry-Seq")!;
});

const READS = [
  "/subjects",
  "/subjects/orders",
  "/subjects/orders/versions/1",
  "/subjects/orders/compatibility",
  "/schemas",
  "/rules",
  "/change-sets",
  "/compatibility/report",
];
const CONFLUENT_READS = [
  "/subjects",
  "/subjects/orders/versions",
  "/subjects/orders/versions/latest",
  "/config",
  "/mode/orders?defaultToGlobal=true",
  "/contexts",
  "/schemas",
];
const later = () => {
  const [epoch, seq, lastHardDelete] = issued.split(".").map(Number);
  return `${epoch}.${seq! + 1}.${lastHardDelete}`;
};

describe("X-Registry-Min-Seq of a state that the registry has not reached", () => {
  it.each(READS)("refuses GET %s rather than answer with an older state", async (path) => {
    const answer = await registry.get(path, { "X-Registry-Min-Seq": later() });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: "bad_request", errors: [{ rule: "token" }] });
    expect((answer.body as ProblemBody).detail).toContain(`${later()}, which this registry has not reached: it is at`);
    expect(answer.headers.get("X-Registry-Seq")).toBe(issued);
  });

  it.each(CONFLUENT_READS)("refuses GET %s of the Confluent API", async (path) => {
    const answer = await registry.platform.fetch(path, { headers: { "X-Registry-Min-Seq": later() } });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error_code: 400, message: expect.stringContaining("has not reached") });
  });

  it("refuses one of a later epoch, and a check, which changes nothing", async () => {
    const body = { subject: "orders", format: "avro", content: avroRecord("a", "b?") };
    const answers = [
      await registry.get("/subjects", { "X-Registry-Min-Seq": "99.1.0" }),
      await registry.call("POST", "/compatibility/check", { body, headers: { "X-Registry-Min-Seq": later() } }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  });

  it("does not keep content from being answered, which changes only by a hard delete", async () => {
    await registry.get(`/schemas/${record.id}/content`);

    const answer = await registry.get(`/schemas/${record.id}/content`, { "X-Registry-Min-Seq": later() });

    expect(answer.status).toBe(200);
    expect(answer.headers.get("X-Registry-Source")).toBe("memory");
  });

  it("does not undo a write", async () => {
    const body = { subject: "lines", format: "avro", content: avroRecord("a") };

    const { status } = await registry.call("POST", "/schemas", { body, headers: { "X-Registry-Min-Seq": "1.999.0" } });

    expect(status).toBe(201);
  });
});

describe("X-Registry-Min-Seq of a state that it has reached", () => {
  it.each(READS)("is honoured by GET %s", async (path) => {
    expect((await registry.get(path, { "X-Registry-Min-Seq": issued })).status).toBe(200);
  });
});
