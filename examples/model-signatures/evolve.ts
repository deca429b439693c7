// Registers a model signature, and shows the call that a new required input would break. `REGISTRY_URL=http://localhost:8080 node examples/model-signatures/evolve.ts`
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

type Refused = { verdict: { differences: { kind: string; witness?: { datum: unknown } }[] } };

const SUBJECT = "example.models.classifier";
const IMAGE = { tensor: { dtype: "float32", shape: [-1, 3, 224, 224] } };
const SIGNATURE = {
  dialect: "triton",
  inputs: { image: IMAGE },
  outputs: { scores: { tensor: { dtype: "float32", shape: [-1, 1000] } } },
};

await send("POST", "/schemas", { subject: SUBJECT, format: "model-signature", content: SIGNATURE });

const masked = { ...SIGNATURE, inputs: { image: IMAGE, mask: IMAGE } };
const refused = await send("POST", "/schemas", { subject: SUBJECT, format: "model-signature", content: masked });
const broken = (refused.body as Refused).verdict.differences.find(({ witness }) => witness?.datum !== undefined);
process.stdout.write(`${refused.status}: ${broken?.kind} breaks ${JSON.stringify(broken?.witness?.datum)}\n`);

export {};
