import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findAuditEntries } from "../../db/audit.ts";
import {
  countDenials,
  DENIALS_PER_DELETE,
  type DenialPlace,
  deleteOldDenials,
  readDenials,
  uncountedMessages,
} from "../../db/denials.ts";
import type { Denial } from "../../registry/denial.ts";
import { auditFilter } from "../../workers/http/native/audit-entries.ts";
import { DATABASES, type TestDatabase } from "../support/databases.ts";

const NOW = 1_764_000_000_000;
const MINUTE = 60_000;

function denialOf(fields: Partial<Denial> = {}): Denial {
  const minuteMs = NOW - (NOW % MINUTE);
  const caller = { actor: "key:a", credential: null, address: "address:1", network: "192.0.2.0/24" };
  const attempt = { status: 403, code: "forbidden", method: "GET", route: "/subjects", subject: "orders" };
  return {
    tenant: "t",
    minuteMs,
    ...attempt,
    ...caller,
    count: 1,
    firstAtMs: NOW,
    lastAtMs: NOW,
    requestId: "r",
    ...fields,
  };
}

describe.each(DATABASES.map((kind) => [kind.name, kind] as const))("denials in %s", (_name, kind) => {
  describe.skipIf(!kind.available)("when available", () => {
    let database: TestDatabase;
    const freshTenant = () => `tenant-${crypto.randomUUID()}`;
    beforeAll(async () => {
      database = await kind.open();
    });
    afterAll(() => database.close());

    it("counts identical attempts of several messages together, and a redelivered message once", async () => {
      const tenant = freshTenant();
      const messages = [
        { id: "a", denials: [denialOf({ count: 2 })] },
        { id: "b", denials: [denialOf({ count: 3, firstAtMs: NOW - 5, lastAtMs: NOW + 5 })] },
      ];

      await countDenials(database.access, tenant, messages, NOW);
      await countDenials(database.access, tenant, [...messages, { id: "c", denials: [denialOf()] }], NOW);

      const { denials } = await readDenials(database.access, tenant, { filter: {}, after: undefined, limit: 10 });
      expect(denials).toEqual([{ ...denialOf(), tenant, count: 6, firstAtMs: NOW - 5, lastAtMs: NOW + 5 }]);
      expect(await uncountedMessages(database.access, tenant, [...messages, { id: "d", denials: [] }])).toMatchObject([
        { id: "d" },
      ]);
    });

    it("answers by actor, claimed key, subject and time, page by page", async () => {
      const tenant = freshTenant();
      const hour = 60 * MINUTE;
      const claimed = denialOf({ actor: null, credential: "key:b", subject: null, status: 401 });
      const later = denialOf({ minuteMs: denialOf().minuteMs + hour, firstAtMs: NOW + hour, lastAtMs: NOW + hour });
      await countDenials(database.access, tenant, [{ id: "a", denials: [denialOf(), claimed, later] }], NOW);
      const ask = async (filter: object) =>
        (await readDenials(database.access, tenant, { filter, after: undefined, limit: 10 })).denials.length;

      expect(await ask({ actor: "key:a" })).toBe(2);
      expect(await ask({ actor: "key:b" })).toBe(1);
      expect(await ask({ subject: "orders" })).toBe(2);
      expect(await ask({ fromMs: NOW + 1 })).toBe(1);
      expect(await ask({ untilMs: NOW })).toBe(0);
      expect(await ask({ untilMs: NOW + 1 })).toBe(2);
      const first = await readDenials(database.access, tenant, { filter: {}, after: undefined, limit: 2 });
      expect(first.next).toBeDefined();
      const rest = await readDenials(database.access, tenant, { filter: {}, after: first.next, limit: 2 });
      expect(rest).toMatchObject({ next: undefined, denials: [{ firstAtMs: NOW + hour }] });
    });

    it("continues after rows whose text Postgres stores in a different form", async () => {
      const tenant = freshTenant();
      const counted = Array.from({ length: 20 }, (_, n) => denialOf({ route: `/${n}\u0000`, requestId: `${n}` }));
      await countDenials(database.access, tenant, [{ id: "a", denials: counted }], NOW);

      const seen: string[] = [];
      let after: DenialPlace | undefined;
      do {
        const { denials, next } = await readDenials(database.access, tenant, { filter: {}, after, limit: 1 });
        seen.push(...denials.map(({ requestId }) => requestId));
        after = next;
      } while (after !== undefined && seen.length <= counted.length);

      expect(seen.sort()).toEqual(counted.map(({ requestId }) => requestId).sort());
    });

    it.each([
      { from: "0001-01-01", until: "9999-12-31T23:59:59.999Z" },
      { from: "0001-01-01T00:00:00+00:00", until: "9999-12-31T23:59:59Z" },
    ])("answers for the widest times that the API takes", async (query) => {
      const tenant = freshTenant();
      await countDenials(database.access, tenant, [{ id: "a", denials: [denialOf()] }], NOW);
      const { fromMs, untilMs } = auditFilter(query);
      const after = { minuteMs: Date.parse("0001-01-01"), key: "0".repeat(32) };

      const asked = { filter: { fromMs: fromMs!, untilMs: untilMs! }, after, limit: 10 };
      expect((await readDenials(database.access, tenant, asked)).denials).toHaveLength(1);
      const last = { ...asked, after: { ...after, minuteMs: Date.parse("9999-12-31T23:59:59.999Z") } };
      expect((await readDenials(database.access, tenant, last)).denials).toEqual([]);
      expect(await findAuditEntries(database.access, tenant, { filter: asked.filter, after: 0, limit: 1 })).toBe(
        undefined,
      );
    });

    it("deletes only rows older than the retention, in bounded steps", async () => {
      const tenant = freshTenant();
      const old = Array.from({ length: DENIALS_PER_DELETE + 1 }, (_, n) =>
        denialOf({ minuteMs: 60_000, requestId: "r", route: `/${n}` }),
      );
      await countDenials(database.access, tenant, [{ id: "a", denials: [...old, denialOf()] }], NOW);

      const more = await deleteOldDenials(database.access, NOW - MINUTE, NOW);
      const rest = await deleteOldDenials(database.access, NOW - MINUTE, NOW);

      expect([more, rest]).toEqual([true, false]);
      const left = await readDenials(database.access, tenant, { filter: {}, after: undefined, limit: 10 });
      expect(left.denials).toHaveLength(1);
    });
  });
});
