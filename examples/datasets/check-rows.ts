// Registers a data set, checks rows, and compares a sketch. `REGISTRY_URL=http://localhost:8080 node examples/datasets/check-rows.ts`
const REGISTRY = `${process.env.REGISTRY_URL ?? "http://localhost:8080"}/api/v1`;

async function send(method: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const isLines = typeof body === "string";
  const response = await fetch(`${REGISTRY}${path}`, {
    method,
    headers: { "Content-Type": isLines ? "application/x-ndjson" : "application/json" },
    body: isLines ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

type Checked = { valid: boolean; expectations: { name: string; message: string }[] };
type Drift = { drift: string; proposed_row: unknown };

const SUBJECT = "example.datasets.reviews";
const DATASET = {
  row: { type: "object", properties: { text: { type: "string" }, label: { type: "integer" } }, required: ["text"] },
  classes: { label: ["negative", "positive"] },
  expectations: [{ name: "labels", column: "label", minimum: 0, maximum: 1 }],
  sketch: { rows: 2, columns: { text: { nulls: 0, types: { string: 2 } } } },
};

await send("POST", "/schemas", { subject: SUBJECT, format: "dataset", content: DATASET });

const rows = [
  { text: "good", label: 1 },
  { text: "odd", label: 7 },
]
  .map((row) => JSON.stringify(row))
  .join("\n");
const { valid, expectations } = (await send("POST", `/datasets/${SUBJECT}/check`, rows)).body as Checked;
process.stdout.write(`valid: ${valid}, ${expectations[0]?.name}: ${expectations[0]?.message}\n`);

const sketch = { rows: 2, columns: { text: { nulls: 1, types: { string: 1 } } } };
const { drift, proposed_row } = (await send("POST", `/datasets/${SUBJECT}/drift`, { sketch })).body as Drift;
process.stdout.write(`drift: ${drift}, proposed: ${JSON.stringify(proposed_row)}\n`);

export {};
