/**
 * A Worker that follows the registry through its own queue and stores the last change of each subject. A nudge only says
 * that the log has grown, so it may be lost, repeated or late: this Worker reads on from its checkpoint. Data and checkpoint
 * are written in one transaction, so the Worker may stop anywhere and run twice.
 */

/** The registry's message. */
type Nudge = { tenant: string; epoch: number; upToSeq: number };

/** The members of an event (`GET /api/v1/events`) that are used here. */
type RegistryEvent = { type: string; subject?: string; time: string; data: { seq: number } };
type EventPage = { items: RegistryEvent[]; next_after: number; more: boolean };

type Env = {
  /** The registry, through a service binding rather than the internet. */
  REGISTRY: Pick<Fetcher, "fetch">;
  DB: D1Database;
};

const TABLES = [
  "CREATE TABLE IF NOT EXISTS subjects (tenant TEXT, subject TEXT, last_type TEXT, at TEXT, seq INTEGER, PRIMARY KEY (tenant, subject))",
  "CREATE TABLE IF NOT EXISTS marks (tenant TEXT PRIMARY KEY, seq INTEGER NOT NULL)",
];

export default {
  /** A batch throws if some tenant could not be caught up, and is redelivered. */
  async queue(batch, env) {
    const tenants = new Set(batch.messages.map(({ body }) => body.tenant));
    await env.DB.batch(TABLES.map((sql) => env.DB.prepare(sql)));
    for (const tenant of tenants) await catchUp(env, tenant);
  },

  /** Makes up for lost nudges. */
  async scheduled(_controller, env) {
    await env.DB.batch(TABLES.map((sql) => env.DB.prepare(sql)));
    const { results } = await env.DB.prepare("SELECT tenant FROM marks").all<{ tenant: string }>();
    for (const { tenant } of results) await catchUp(env, tenant);
  },
} satisfies ExportedHandler<Env, Nudge>;

async function catchUp(env: Env, tenant: string): Promise<void> {
  let after = await readMark(env, tenant);
  for (;;) {
    const page = await readPage(env, after);
    if (page.next_after > after) await takePage(env, tenant, page);
    if (!page.more) return;
    after = page.next_after;
  }
}

async function readMark(env: Env, tenant: string): Promise<number> {
  const mark = await env.DB.prepare("SELECT seq FROM marks WHERE tenant = ?").bind(tenant).first<number>("seq");
  return mark ?? 0;
}

/** With access control, add the tenant's credential. A service binding ignores the host. */
async function readPage(env: Env, after: number): Promise<EventPage> {
  const response = await env.REGISTRY.fetch(`https://registry/api/v1/events?after=${after}&limit=500`);
  if (!response.ok) throw new Error(`The registry answers ${response.status}: ${await response.text()}`);
  return await response.json<EventPage>();
}

/** Newer events win and checkpoints only grow, even if invocations run concurrently. */
async function takePage(env: Env, tenant: string, { items, next_after }: EventPage): Promise<void> {
  const take = env.DB.prepare(
    `INSERT INTO subjects VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET last_type = excluded.last_type, at = excluded.at, seq = excluded.seq WHERE excluded.seq > subjects.seq`,
  );
  const mark = env.DB.prepare(
    "INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = max(marks.seq, excluded.seq)",
  );
  await env.DB.batch([
    ...items
      .filter(({ subject }) => subject !== undefined)
      .map(({ subject, type, time, data }) => take.bind(tenant, subject, type, time, data.seq)),
    mark.bind(tenant, next_after),
  ]);
}
