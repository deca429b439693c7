import { describe, expect, it } from "vitest";
import type { MakeChangesCommand } from "../../../registry/change-set.ts";
import type { CommitAnswer } from "../../../registry/rpc.ts";
import { computeReading, type Fact } from "../../../schema/facts.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import {
  expectReplayEqualsState,
  lastSeq,
  type PrimaryStub,
  primaryWith,
  register,
  registerCommand,
  request,
} from "./commands.ts";
import { lineFormat } from "./line-format.ts";

function changesOf(...changes: MakeChangesCommand["changes"]): MakeChangesCommand {
  return { type: "makeChanges", kind: "bulk", message: null, changes };
}

/** Supplies the requested readings; the subjects are compared with nothing. */
async function make(primary: PrimaryStub, command: MakeChangesCommand) {
  const facts: Fact[] = [];
  for (let round = 1; round < 10; round += 1) {
    const answer = (await primary.commit(request(command, { facts }))) as CommitAnswer;
    if (!answer.ok || answer.value.type !== "needs") return answer;
    for (const need of answer.value.needs) {
      const change = command.changes[(need as unknown as { change: number }).change];
      if (need.type !== "reading" || change?.type !== "register") throw new Error("Only readings are given here.");
      const reading = computeReading(lineFormat(), { text: change.text, references: [] }, need.request);
      facts.push({ type: "reading", key: need.key, reading });
    }
  }
  throw new Error("The primary kept asking.");
}

describe("PrimaryObject.commit of a change set", () => {
  it("produces a state that a replay of the log reproduces, also after hard deletes", async () => {
    const primary = await primaryWith();

    await make(primary, changesOf(registerCommand("a", "one"), registerCommand("b", "two")));
    await make(primary, changesOf({ type: "deleteSubject", name: parseSubjectName("a"), permanent: false }));
    await make(primary, changesOf({ type: "deleteSubject", name: parseSubjectName("a"), permanent: true }));

    await expectReplayEqualsState(primary);
    expect(await lastSeq(primary)).toBe(7);
  });

  it("leaves no trace of a set that is refused at its end", async () => {
    const primary = await primaryWith();
    await register(primary, "kept", "one");
    const before = await primary.replayState();

    const answer = await make(
      primary,
      changesOf(
        registerCommand("a", "one"),
        { type: "deleteSubject", name: parseSubjectName("kept"), permanent: false },
        { type: "deleteSubject", name: parseSubjectName("absent"), permanent: false },
      ),
    );

    expect(answer).toMatchObject({ ok: false, refusal: { error: "SUBJECT_NOT_FOUND", extra: { change: 2 } } });
    expect(await primary.replayState()).toEqual(before);
    expect(await lastSeq(primary)).toBe(1);
  });
});
