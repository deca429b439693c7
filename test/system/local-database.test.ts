import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { startLocalDatabaseWhenUsed } from "../../scripts/database/local.ts";
import { temporaryState } from "../support/registry-process.ts";

describe("the local database of npm start", () => {
  const state = temporaryState();
  afterAll(() => state.remove());

  it("opens although its first client has gone by then, and serves the next", async () => {
    const database = await startLocalDatabaseWhenUsed({ stateDir: state.stateDir, url: undefined });
    const port = Number(database.vars.DATABASE_PROXY.split(":")[1]);
    const first = connect({ host: "127.0.0.1", port });
    await once(first, "connect");
    first.destroy();

    await expect(database.ready).resolves.toEqual({ restarted: false });
    const next = connect({ host: "127.0.0.1", port });
    await once(next, "connect");
    // What the proxy does not understand ends the connection, so something has read it.
    next.write("GET / HTTP/1.1\r\n\r\n");
    await once(next.resume(), "close");

    await database.close();
  });
});
