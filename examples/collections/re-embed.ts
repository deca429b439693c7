// Registers a collection, and shows what a change to another embedding model of the same dimensions requires.
// `REGISTRY_URL=http://localhost:8080 node examples/collections/re-embed.ts`
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

type Checked = { compatible: boolean; plan: { actions: { action: string; commands?: { command: string }[] }[] } };

const SUBJECT = "example.collections.docs";
const COLLECTION = {
  embedding: { model: "small-embedder", dimensions: 768, distance: "cosine" },
  chunk: { type: "object", properties: { page: { type: "integer" } } },
  store: { kind: "qdrant", name: "docs" },
};

await send("POST", "/schemas", { subject: SUBJECT, format: "collection", content: COLLECTION });

const swapped = { ...COLLECTION, embedding: { ...COLLECTION.embedding, model: "other-embedder" } };
const checked = await send("POST", "/compatibility/check", {
  subject: SUBJECT,
  format: "collection",
  content: swapped,
});
const { compatible, plan } = checked.body as Checked;
const [first] = plan.actions;
process.stdout.write(`compatible: ${compatible}, ${first?.action}: ${first?.commands?.[0]?.command}\n`);

export {};
