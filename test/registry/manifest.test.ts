import { describe, expect, it } from "vitest";
import { emptyManifest, parseManifest } from "../../workers/backup/manifest.ts";

const segment = (name: unknown) => ({ name, first: 1, last: 1, sha256: "", bytes: 1, erased: 0, full: false });

describe("parseManifest", () => {
  const parse = (segmentName: unknown, unneeded: unknown[] = []) =>
    parseManifest(JSON.stringify({ ...emptyManifest("t"), last_seq: 1, segments: [segment(segmentName)], unneeded }));

  it.each(["segments/00000001.jsonl.gz", "backup.gz", "my backup (1).gz", "..gz", "a..b/c"])("accepts %j", (name) => {
    expect(parse(name)).toMatchObject({ segments: [{ name }] });
  });

  it.each([
    "../outside",
    "segments/../../outside",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a//b",
    "a/",
    "..\\outside",
    "C:/outside",
    "C:\\outside",
    "a\0b",
    7,
    null,
  ])("refuses %j, which leaves the folder or is not a name", (name) => {
    expect(parse(name)).toEqual({ problem: expect.stringContaining("inside its own folder") });
    expect(parse("ok", [name])).toEqual({ problem: expect.stringContaining("inside its own folder") });
  });
});
