/**
 * A registry with every type of log entry, every format, texts in R2, and hard deletes before and after the deleted
 * content was used again.
 */

export type Ask = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;

/** Words that occur only in hard-deleted content. */
export const ERASED_WORDS = ["ErasedWord", "erased-description"] as const;

type Known = { id: string; version_number: number };

/** Fills an empty registry over HTTP. `large` is a text that stays above 4 KiB when deflated. */
export async function fillEventfully(ask: Ask, large: (seed: string) => object): Promise<void> {
  const send = async (method: string, path: string, body?: unknown): Promise<Known> => {
    const answer = await ask(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path} gives ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body as Known;
  };
  const register = (subject: string, content: unknown, more: object = {}) =>
    send("POST", "/api/v1/schemas", { subject, format: "avro", content, ...more });
  const remove = async ({ id }: Known) => {
    await send("DELETE", `/api/v1/schemas/${id}`);
    await send("DELETE", `/api/v1/schemas/${id}?permanent=true`);
  };

  await send("PUT", "/api/v1/compatibility", { level: "NONE" });
  const order = await register("orders-value", avro("Order", "id"), {
    description: 'Ünïcode ☃ and "quotes"\nin lines',
    tags: ["a", "b"],
    owner: "ana",
    metadata: { cost: { currency: "EUR" } },
  });
  await register("orders-value", avro("Order", "id", "sum"), { version: "2.1.0" });
  await register(
    "payments-value",
    {
      type: "record",
      name: "Payment",
      fields: [{ name: "order", type: "Order" }],
    },
    { references: [{ name: "Order", subject: "orders-value", version: 1 }] },
  );
  await register("answer", { type: "object", properties: { text: { type: "string" } } }, { format: "json-schema" });
  await register("message", 'syntax = "proto3";\nmessage Message { string text = 1; }\n', { format: "protobuf" });
  // Stored in R2.
  await register("large", large("kept"));
  await register("large-again", large("kept"));

  const draft = await register("drafted", avro("Draft", "a"), { state: "draft" });
  await register("drafted", avro("Draft", "b"), { state: "draft" });
  await send("PATCH", `/api/v1/schemas/${draft.id}`, { state: "active" });
  await send("PATCH", `/api/v1/schemas/${order.id}`, { description: "Changed." });
  await send("PATCH", `/api/v1/schemas/${order.id}`, { state: "deprecated", reason: "Use 2.1.0." });
  await send("PATCH", `/api/v1/schemas/${draft.id}`, { state: "archived", reason: null });

  const undeleted = await register("undeleted", avro("Undeleted", "a"));
  await send("DELETE", `/api/v1/schemas/${undeleted.id}`);
  await send("POST", `/api/v1/schemas/${undeleted.id}/undelete`);
  const softDeleted = await register("soft-deleted", avro("Soft", "a"));
  await send("DELETE", `/api/v1/schemas/${softDeleted.id}`);

  // Hard-deleted: text, payload and later entries about it.
  const [word, description] = ERASED_WORDS;
  const erased = await register("erased", avro(word, "a"), { description });
  await register("erased", avro("Kept", "b"));
  await send("PATCH", `/api/v1/schemas/${erased.id}`, { description: `${description} again` });
  await remove(erased);
  const erasedLarge = await register("erased-large", large(word), { description });
  await remove(erasedLarge);
  // Hard-deleted in one subject and live in another; hard-deleted and registered again.
  const twice = await register("twice", avro("Twice", "a"));
  await register("twice-elsewhere", avro("Twice", "a"));
  await remove(twice);
  const reborn = await register("reborn", avro("Reborn", "a"));
  await remove(reborn);
  await register("reborn", avro("Reborn", "a"));
  const rebornLarge = await register("reborn-large", large("reborn"));
  await remove(rebornLarge);
  await register("reborn-large", large("reborn"));

  await send("PUT", "/api/v1/subjects/orders-value/compatibility", { level: "FULL_TRANSITIVE" });
  await send("PUT", "/api/v1/subjects/orders-value/rules", {
    rules: [{ name: "tolerate", expr: "difference.kind == 'TYPE_MISMATCH'", action: "warn", message: "Agreed." }],
  });
  await send("PUT", "/mode/soft-deleted", { mode: "READONLY" });
  await send("POST", "/subjects/:.other:orders/versions", {
    schema: JSON.stringify(avro("Order", "id")),
    metadata: { properties: { team: "sales" }, sensitive: ["id"] },
    ruleSet: { domainRules: [{ name: "r", kind: "CONDITION", type: "CEL", mode: "WRITE", expr: "true" }] },
  });
  await send("PUT", "/config/:.other:orders", { compatibility: "NONE", normalize: true });
  await send("POST", "/associations", {
    resourceName: "orders",
    resourceNamespace: "cluster",
    resourceId: "resource-1",
    resourceType: "topic",
    associations: [{ subject: "message", associationType: "value", lifecycle: "WEAK" }],
  });
  // Artefacts, which have no Confluent id; an alias, and evidence that a hard delete takes with its version.
  const metrics = [{ name: "accuracy", lower_is_better: false }];
  for (const [format, content] of [
    ["tool", { name: "search", input: { type: "object" } }],
    ["model-signature", { dialect: "custom", inputs: {}, outputs: {} }],
    ["collection", { embedding: { model: "a", dimensions: 3, distance: "dot" } }],
    ["dataset", { row: { type: "object" } }],
    ["evaluation", { task: "t", metrics }],
  ] as const) {
    await register(`artefact.${format}`, content, { format });
  }
  for (const text of ["one", "two", "three"])
    await register("prompt", { syntax: "dollar", text }, { format: "prompt" });
  const evidence = {
    evaluation_id: "nightly",
    evaluation_results: [
      {
        evaluation_name: "answers",
        metric_config: { metric_id: "accuracy", lower_is_better: false },
        score_details: { score: 0.9 },
      },
    ],
  };
  for (const version of [1, 2]) {
    await send("POST", `/api/v1/subjects/prompt/versions/${version}/evidence`, evidence);
    await send("PUT", "/api/v1/subjects/prompt/aliases/production", { version });
  }
  await send("PUT", "/api/v1/subjects/prompt/aliases/staging", { version: 3 });
  await send("DELETE", "/api/v1/subjects/prompt/aliases/staging");
  await remove(await send("GET", "/api/v1/subjects/prompt/versions/2"));
  // Disabled, because there is no endpoint.
  const webhook = { url: "https://hooks.example.com/registry", types: ["schema.*"], enabled: false };
  await send("POST", "/api/v1/webhooks", webhook);
  const { id: deleted } = await send("POST", "/api/v1/webhooks", webhook);
  await send("DELETE", `/api/v1/webhooks/${deleted}`);
  await send("POST", "/subjects/:.gone:a/versions", { schema: '"string"' });
  await send("DELETE", "/subjects/:.gone:a");
  await send("DELETE", "/subjects/:.gone:a?permanent=true");
  await send("DELETE", "/contexts/.gone");
}

function avro(name: string, ...fields: string[]): object {
  return { type: "record", name, fields: fields.map((field) => ({ name: field, type: "string", default: "" })) };
}
