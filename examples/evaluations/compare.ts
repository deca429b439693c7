// Registers an evaluation, and shows which results stop being comparable. `REGISTRY_URL=http://localhost:8080 node examples/evaluations/compare.ts`
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

type Checked = { compatible: boolean; plan: { actions: { action: string; reason: string }[] } };

const SUBJECT = "example.evaluations.support";
const EVALUATION = { task: "support", shots: 0, metrics: [{ name: "accuracy", lower_is_better: false }] };

await send("POST", "/schemas", { subject: SUBJECT, format: "evaluation", content: EVALUATION });

const content = { ...EVALUATION, shots: 5, task_version: 2 };
const checked = await send("POST", "/compatibility/check", { subject: SUBJECT, format: "evaluation", content });
const { compatible, plan } = checked.body as Checked;
process.stdout.write(`comparable: ${compatible}, ${plan.actions[0]?.action}: ${plan.actions[0]?.reason}\n`);

export {};
