import { describe, expect, it } from "vitest";
import { DENIAL_MESSAGE_VERSION, parseDenialMessage } from "../../registry/denial.ts";

const denial = {
  tenant: "default",
  minuteMs: 0,
  status: 401,
  code: "unauthorized",
  method: "GET",
  route: "/subjects",
  subject: null,
  actor: null,
  credential: null,
  address: null,
  network: null,
  count: 1,
  firstAtMs: 1,
  lastAtMs: 1,
  requestId: "r",
};
const message = { v: DENIAL_MESSAGE_VERSION, id: "m", denials: [denial], dropped: 0 };

describe("parseDenialMessage", () => {
  it("parses a message of this version", () => {
    expect(parseDenialMessage(message)).toEqual(message);
  });

  it("recognises one of a later version, with any content", () => {
    expect(parseDenialMessage({ v: DENIAL_MESSAGE_VERSION + 1 })).toBe("newer");
  });

  it.each([
    null,
    {},
    { ...message, v: DENIAL_MESSAGE_VERSION - 1 },
    { ...message, id: "../x" },
    { ...message, denials: [{ ...denial, tenant: "../x" }] },
    { ...message, denials: [{ ...denial, count: -1 }] },
    { ...message, denials: [{ ...denial, subject: 7 }] },
    { ...message, dropped: null },
  ])("returns undefined for %j", (body) => {
    expect(parseDenialMessage(body)).toBeUndefined();
  });
});
