// A Postgres server, reached by TCP at its URL.
import type { Socket } from "node:net";
import pg from "pg";
import type { Backend, Session, SessionListener } from "./backend.ts";
import { TERMINATE } from "./wire.ts";

const CONNECT_MS = 5_000;

/** The driver's connection, which its types omit. */
type Connected = { connection: { stream: Socket; on(event: string, listener: (message: never) => void): void } };

/** Each client session is a server session; the `pg` package handles authentication and TLS. */
export async function openPostgresql(url: string): Promise<Backend> {
  const parameters = new Map<string, string>();
  const sessions = new Set<Session>();
  return {
    parameters: () => parameters,
    async open(listener, applicationName) {
      const session = await connect({ url, applicationName }, parameters, listener, () => sessions.delete(session));
      sessions.add(session);
      return session;
    },
    async close() {
      for (const session of sessions) session.close();
    },
  };
}

async function connect(
  { url, applicationName }: { url: string; applicationName: string | undefined },
  parameters: Map<string, string>,
  listener: SessionListener,
  forget: () => void,
): Promise<Session> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
  });
  // The driver also reports a broken connection here; the listeners below handle it.
  client.on("error", () => undefined);
  const { connection } = client as unknown as Connected;
  connection.on("parameterStatus", ({ parameterName, parameterValue }: Record<string, string>) =>
    parameters.set(parameterName!, parameterValue!),
  );
  await client.connect();
  // From here on, bytes are passed through.
  const { stream } = connection;
  stream.removeAllListeners("data");
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    forget();
    listener.ended();
  };
  stream.on("data", (bytes: Buffer) => listener.receive(bytes));
  stream.once("close", end);
  stream.once("end", end);
  stream.on("error", end);
  return {
    send: (bytes) => stream.write(bytes),
    close() {
      if (over) return;
      over = true;
      forget();
      // The server rolls back when the connection ends.
      stream.end(TERMINATE);
      setTimeout(() => stream.destroy(), 1_000).unref();
    },
  };
}
