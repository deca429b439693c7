import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUrlRules, readWebhookUrl } from "../../../durable-objects/webhooks/address.ts";
import { MAX_WEBHOOK_URL_CHARACTERS } from "../../../registry/webhook.ts";

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const ANYWHERE = parseUrlRules(undefined);
const isTaken = (url: string, rules = ANYWHERE) => readWebhookUrl(url, rules).ok;

/** Blocks that must never be reached, as first address and prefix length. */
const PRIVATE_BLOCKS: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

const toNumber = (dotted: string) => dotted.split(".").reduce((value, byte) => value * 256 + Number(byte), 0);
const toBytes = (address: number) => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
const isInBlock = (address: number) =>
  PRIVATE_BLOCKS.some(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return address >= toNumber(first) && address < toNumber(first) + size;
  });

const privateAddress = fc
  .constantFrom(...PRIVATE_BLOCKS)
  .chain(([first, bits]) => fc.nat(2 ** (32 - bits) - 1).map((offset) => toNumber(first) + offset));

/** Every spelling of an IPv4 address in a URL. */
const SPELLINGS: readonly ((bytes: readonly number[], address: number) => string)[] = [
  (bytes) => bytes.join("."),
  (bytes) => `${bytes.join(".")}.`,
  (_bytes, address) => String(address),
  (_bytes, address) => `0x${address.toString(16)}`,
  (_bytes, address) => `0${address.toString(8)}`,
  (bytes) => bytes.map((byte) => `0x${byte.toString(16)}`).join("."),
  (bytes) => bytes.map((byte) => `0${byte.toString(8)}`).join("."),
  ([a, b, c, d]) => `${a}.${b}.${c! * 256 + d!}`,
  ([a, b, c, d]) => `${a}.${b! * 65_536 + c! * 256 + d!}`,
  (bytes) => [...bytes.join(".")].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(""),
  // Full-width digits, which the URL parser maps to ASCII.
  (bytes) => bytes.join(".").replaceAll(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  (bytes) => `[::ffff:${bytes.join(".")}]`,
  (bytes) => `[::${bytes.join(".")}]`,
  (bytes) => `[64:ff9b::${bytes.join(".")}]`,
  ([a, b, c, d]) => `[2002:${(a! * 256 + b!).toString(16)}:${(c! * 256 + d!).toString(16)}::1]`,
  ([a, b, c, d]) => `[0:0:0:0:0:ffff:${(a! * 256 + b!).toString(16)}:${(c! * 256 + d!).toString(16)}]`,
];

describe(`readWebhookUrl (FUZZ_SEED=${SEED})`, () => {
  it("refuses private addresses in any spelling", () => {
    fc.assert(
      fc.property(
        privateAddress,
        fc.constantFrom(...SPELLINGS),
        fc.constantFrom("", ":443", ":8443"),
        (address, spell, port) => {
          const url = `https://${spell(toBytes(address), address)}${port}/hook`;
          expect(isTaken(url), url).toBe(false);
        },
      ),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("accepts every IPv4 address outside those blocks", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (address) => {
        fc.pre(!isInBlock(address) && !(address >= toNumber("192.88.99.0") && address <= toNumber("192.88.99.255")));
        expect(isTaken(`https://${toBytes(address).join(".")}/`)).toBe(true);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("accepts only IPv6 addresses of global unicast", () => {
    const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, ([first = 0, second = 0, ...rest]) => {
        const isGlobal = first >= 0x2000 && first <= 0x3fff;
        const isSpecial =
          first === 0x2002 ||
          (first === 0x2001 && (second < 0x200 || second === 0xdb8)) ||
          (first === 0x3fff && second < 0x1000);
        const url = `https://[${[first, second, ...rest].map((group) => group.toString(16)).join(":")}]/`;
        expect(isTaken(url), url).toBe(isGlobal && !isSpecial);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it.each([
    "https://hooks.example.com/a?b=c",
    "https://hooks.example.com:443/",
    "https://hooks.example.com:8443/",
    "https://xn--bcher-kva.example.net/",
    "https://bücher.example.net/",
    "https://hooks.example.com./",
    "https://1.1.1.1/",
    "https://[2606:4700:4700::1111]/",
  ])("accepts %s", (url) => {
    expect(isTaken(url)).toBe(true);
  });

  it.each([
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "/relative",
    "https://",
    "https://user:password@hooks.example.com/",
    "https://token@hooks.example.com/",
    "https://hooks.example.com/#part",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:25/",
    "https://hooks.example.com:6667/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:444/",
    "https://hooks.example.com:8080/",
    "https://hooks.example.com:8444/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://api.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://intranet/",
    "https://hooks.test/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2001:0:7f00:1::]/",
    "https://127.1/",
    "https://0/",
    "https://2130706433/",
  ])("refuses %s", (url) => {
    expect(isTaken(url)).toBe(false);
  });

  it("returns the URL as it will be requested", () => {
    expect(readWebhookUrl("HTTPS://Hooks.Example.COM:443/a b", ANYWHERE)).toEqual({
      ok: true,
      value: "https://hooks.example.com/a%20b",
    });
  });

  it("accepts a URL of the maximum length and refuses a longer one", () => {
    const ofLength = (length: number) => "https://hooks.example.com/".padEnd(length, "a");

    expect(isTaken(ofLength(MAX_WEBHOOK_URL_CHARACTERS))).toBe(true);
    expect(isTaken(ofLength(MAX_WEBHOOK_URL_CHARACTERS + 1))).toBe(false);
  });
});

describe("parseUrlRules", () => {
  it("allows exactly the listed origins", () => {
    const rules = parseUrlRules("http://127.0.0.1:9000, https://hooks.example.com");

    expect(isTaken("http://127.0.0.1:9000/hook", rules)).toBe(true);
    expect(isTaken("https://hooks.example.com/hook", rules)).toBe(true);
    expect(isTaken("http://127.0.0.1:9001/hook", rules)).toBe(false);
    expect(isTaken("https://127.0.0.1:9000/hook", rules)).toBe(false);
    expect(isTaken("https://other.example.com/hook", rules)).toBe(false);
    expect(isTaken("http://user@127.0.0.1:9000/hook", rules)).toBe(false);
  });

  it("additionally allows every public address if the list has a star", () => {
    const rules = parseUrlRules("*,http://127.0.0.1:9000");

    expect(isTaken("http://127.0.0.1:9000/hook", rules)).toBe(true);
    expect(isTaken("https://other.example.com/hook", rules)).toBe(true);
    expect(isTaken("https://127.0.0.1/hook", rules)).toBe(false);
  });

  it.each([
    "hooks.example.com",
    "https://hooks.example.com/path",
    "ftp://hooks.example.com",
    "https://u@h.example.com",
  ])("refuses %s, which is not an origin", (text) => {
    expect(() => parseUrlRules(text)).toThrow("WEBHOOK_ALLOWED_ORIGINS");
  });
});
