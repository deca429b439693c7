import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type DatabaseAccess, inTransaction, readDatabase, sqlState, withConnection } from "../../db/client.ts";
import { openPglite } from "../../scripts/database/pglite.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../../scripts/database/proxy.ts";
import { MAX_BACKEND_MESSAGE_BYTES, MessageReader, simpleQuery } from "../../scripts/database/wire.ts";

const PASSWORD = "p:ss/w rd%";

describe("the proxy in front of PGlite's one session", () => {
  let proxy: DatabaseProxy | undefined;
  let close: () => Promise<void> = async () => undefined;

  afterEach(async () => {
    await proxy?.close();
    await close();
  });

  async function start(timings: Parameters<typeof openPglite>[1] = {}): Promise<DatabaseAccess> {
    const backend = await openPglite(undefined, timings);
    close = backend.close;
    proxy = await startDatabaseProxy({ backend, password: PASSWORD });
    const access = { DATABASE_URL: proxy.url, DATABASE_PROXY: proxy.address };
    await readDatabase(access, (db) => db.execute(sql`CREATE TABLE t (n int)`));
    return access;
  }

  const count = async (access: DatabaseAccess) => {
    const { rows } = await readDatabase(access, (db) =>
      db.execute<{ n: number }>(sql`SELECT count(*)::int AS n FROM t`),
    );
    return rows[0]!.n;
  };

  it("hides uncommitted changes of a transaction", async () => {
    const access = await start();
    const [written, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const transaction = inTransaction(access, async (tx) => {
      await tx.execute(sql`INSERT INTO t VALUES (1)`);
      written.resolve();
      await go.promise;
    });
    await written.promise;
    const seen = count(access);
    go.resolve();
    await transaction;

    // It had to wait for its turn, so it sees everything committed before.
    expect(await seen).toBe(1);
  });

  it("rolls back the transaction of a client that disconnects, and admits the next one", async () => {
    const access = await start();
    const dying = withConnection(access, 30_000, async (client) => {
      await client.query("BEGIN");
      await client.query("INSERT INTO t VALUES (1)");
      (client as unknown as { connection: { stream: { ws: { close(): void } } } }).connection.stream.ws.close();
      await client.query("SELECT 1");
    });

    await expect(dying).rejects.toMatchObject({ name: "DatabaseUnreachable" });
    expect(await count(access)).toBe(0);
  });

  it("rolls back a client that is idle in a transaction for too long", async () => {
    const access = await start({ idleInTransactionMs: 200 });
    const sleeping = inTransaction(access, async (tx) => {
      await tx.execute(sql`INSERT INTO t VALUES (1)`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await tx.execute(sql`INSERT INTO t VALUES (2)`);
    });
    sleeping.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));

    expect(await count(access)).toBe(0);
    await expect(sleeping).rejects.toThrow();
  });

  it("allows an active transaction to outlast the idle limit", async () => {
    const access = await start({ idleInTransactionMs: 300 });

    await inTransaction(access, async (tx) => {
      for (let at = 0; at < 6; at += 1) {
        await tx.execute(sql`INSERT INTO t VALUES (${at})`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });

    expect(await count(access)).toBe(6);
  });

  it("refuses a client that would wait for its turn too long", async () => {
    const access = await start({ turnWaitMs: 100 });
    const [written, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = inTransaction(access, async (tx) => {
      await tx.execute(sql`INSERT INTO t VALUES (1)`);
      written.resolve();
      await go.promise;
    });
    await written.promise;

    await expect(count(access)).rejects.toMatchObject({ name: "DatabaseUnreachable", reason: "unreachable" });
    go.resolve();
    await holding;
    expect(await count(access)).toBe(1);
  });

  it("runs a batch of reads in one transaction, and nothing of a failing batch", async () => {
    const access = await start();

    const failing = readDatabase(access, (db) =>
      db.batch([db.execute(sql`INSERT INTO t VALUES (1)`), db.execute(sql`SELECT 1/0`)]),
    );

    expect(await failing.catch(sqlState)).toBe("22012");
    expect(await count(access)).toBe(0);
  });

  it("closes the socket of a finished transaction, committed or failed", async () => {
    const access = await start();

    await inTransaction(access, (tx) => tx.execute(sql`SELECT 1`));
    await inTransaction(access, (tx) => tx.execute(sql`SELECT 1/0`)).catch(() => undefined);

    // A Worker's invocation with an open socket does not end, and the queue's next batch waits for it.
    await expect.poll(() => proxy!.openSockets()).toBe(0);
  });

  it("requires the password from everyone", async () => {
    const access = await start();
    const wrong = { ...access, DATABASE_URL: access.DATABASE_URL!.replace(/:[^:@]+@/, ":guess@") };

    expect(await readDatabase(wrong, (db) => db.execute(sql`SELECT 1`)).catch(sqlState)).toBe("28P01");
    await expect(inTransaction(wrong, (tx) => tx.execute(sql`SELECT 1`))).rejects.toThrow();
    expect(await count(access)).toBe(0);
  });

  it.each([
    ["noise", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a message before the start", simpleQuery("SELECT 1")],
    ["a message that says it is endless", Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ])("rejects a client that begins with %s", async (_what, bytes) => {
    const access = await start();
    const socket = new WebSocket(`ws://${proxy!.address}/v2`);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.once("open", () => socket.send(bytes));

    await closed;

    expect(await count(access)).toBe(0);
  });
});

describe("MessageReader", () => {
  it("returns fragmented messages complete and in order", () => {
    const reader = new MessageReader();
    const bytes = Buffer.concat([simpleQuery("SELECT 1"), simpleQuery("SELECT 22")]);
    const seen: number[] = [];
    for (const byte of bytes) {
      reader.push(Buffer.from([byte]));
      for (const message of reader.messages()) seen.push(message.bytes.length);
    }

    expect(seen).toEqual([14, 15]);
  });

  it.each([
    ["as long as the bound", MAX_BACKEND_MESSAGE_BYTES, false],
    ["longer than the bound", MAX_BACKEND_MESSAGE_BYTES + 1, true],
    ["shorter than its own length", 3, true],
  ])("handles a message with the length %s", (_what, length, refused) => {
    const reader = new MessageReader();
    const head = Buffer.alloc(5);
    head.write("Q");
    head.writeUInt32BE(length, 1);
    reader.push(head);

    const read = () => [...reader.messages()];

    if (refused) expect(read).toThrow("cannot have");
    else expect(read()).toEqual([]);
  });
});
