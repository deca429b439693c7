import { expect, it } from "vitest";
import { giveTurn } from "../../../workers/registry/turns.ts";

it("lets waiting tasks run first, unlike a resolved promise", async () => {
  const ran: string[] = [];
  setTimeout(() => ran.push("another request"), 0);

  await Promise.resolve();
  ran.push("after a promise");
  await giveTurn();
  ran.push("after a turn");

  expect(ran).toEqual(["after a promise", "another request", "after a turn"]);
});
