import { describe, expect, it } from "vitest";
import {
  makeSigner,
  openNote,
  parseCheckpoint,
  parseVerifier,
  printCheckpoint,
  printVerifier,
  signNote,
} from "../../tlog/note.ts";
import { parseTilePath } from "../../tlog/tiles.ts";

/** The example of Go's golang.org/x/mod/sumdb/note. */
const GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const seed = (text: string) => new Uint8Array(Buffer.alloc(32, text));

describe("openNote", () => {
  it("opens a note signed by Go", async () => {
    const opened = await openNote(GO_NOTE, [parseVerifier(GO_VERIFIER)!]);

    expect(opened).toMatchObject({ ok: true, text: GO_NOTE.slice(0, GO_NOTE.indexOf("\n\n") + 1) });
  });

  it("opens a note signed by either key during a rotation, and refuses a changed one", async () => {
    const [older, newer, stranger] = await Promise.all(
      ["a", "b", "c"].map((text) => makeSigner("log.test/t", seed(text))),
    );
    const note = await signNote("one\ntwo\n", [newer!, older!]);

    expect(await openNote(note, [older!.verifier])).toMatchObject({ ok: true, text: "one\ntwo\n" });
    expect(await openNote(note, [newer!.verifier])).toMatchObject({ ok: true });
    expect(await openNote(note, [stranger!.verifier])).toMatchObject({ ok: false });
    expect(await openNote(note.replace("two", "too"), [newer!.verifier])).toMatchObject({ ok: false });
  });
});

describe("parseVerifier", () => {
  it("parses what printVerifier prints, and refuses the hash of another key", async () => {
    const { verifier } = await makeSigner("log.test/t", seed("a"));
    const printed = printVerifier(verifier);

    expect(parseVerifier(printed)).toEqual(verifier);
    expect(parseVerifier(GO_VERIFIER)).toMatchObject({ name: "PeterNeumann" });
    expect(parseVerifier(printed.replace(/\+[0-9a-f]{8}\+/, "+00000000+"))).toBeUndefined();
    expect(parseVerifier("nonsense")).toBeUndefined();
  });
});

describe("parseCheckpoint", () => {
  it("parses what printCheckpoint prints, with further lines allowed", () => {
    const checkpoint = { origin: "log.test/t", size: 7, root: new Uint8Array(32).fill(9) };

    expect(parseCheckpoint(printCheckpoint(checkpoint))).toEqual(checkpoint);
    expect(parseCheckpoint(`${printCheckpoint(checkpoint)}extension\n`)).toEqual(checkpoint);
    expect(parseCheckpoint("log.test/t\n07\nAAAA\n")).toBeUndefined();
  });
});

describe("parseTilePath", () => {
  it.each([
    ["0/000", { level: 0, index: 0, width: 256 }],
    ["1/x001/x234/067", { level: 1, index: 1_234_067, width: 256 }],
    ["0/x001/234.p/5", { level: 0, index: 1_234, width: 5 }],
    ["entries/003.p/255", { level: "entries", index: 3, width: 255 }],
  ])("reads %s", (path, tile) => {
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each(["", "0", "0/0", "0/x000/001", "0/001/002", "6/000", "0/000.p/256", "0/000.p/0", "0/000.p/05", "data/000"])(
    "refuses %s",
    (path) => {
      expect(parseTilePath(path)).toBeUndefined();
    },
  );
});
