// Moves an alias through a gate that wants evidence. `REGISTRY_URL=http://localhost:8080 node examples/aliases/release.ts`
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

const SUBJECT = "example.aliases.greeting";
const ALIAS = `/subjects/${SUBJECT}/aliases/production`;

for (const text of ["Hi.", "Hello."]) {
  await send("POST", "/schemas", { subject: SUBJECT, format: "prompt", content: { syntax: "f-string", text } });
}
const accuracy = { name: "accuracy", expression: 'evidence.exists(e, e.metric == "accuracy" && e.score >= 0.9)' };
await send("PUT", ALIAS, { version: 1, gates: [accuracy] });

const refused = await send("PUT", ALIAS, { version: 2 });
process.stdout.write(`${refused.status}: ${(refused.body as { detail?: string }).detail}\n`);

await send("POST", `/subjects/${SUBJECT}/versions/2/evidence`, {
  evaluation_id: "nightly",
  evaluation_results: [
    {
      evaluation_name: "greetings",
      metric_config: { metric_id: "accuracy", lower_is_better: false },
      score_details: { score: 0.95 },
    },
  ],
});
const moved = await send("PUT", ALIAS, { version: 2, reason: "The evaluation is green." });
process.stdout.write(`${moved.status}: production is ${(moved.body as { version?: string }).version}\n`);

export {};
