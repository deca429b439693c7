/**
 * Outcomes of commands, kept for repeats. They are stored in time slices, so that old ones are found without a separate
 * index, which every commit would have to write.
 */
import { parseRememberedAnswer, type RememberedAnswer } from "./remembered-answer.ts";
import { COMMAND_SLICE_MS } from "./state/fewer-rows.ts";

/** How long a repeated command returns its first outcome. Its slice is the current one or the previous one. */
const COMMAND_MEMORY_MS = COMMAND_SLICE_MS;
/** Commands forgotten per call, so that an alarm stays short. */
const FORGET_BATCH = 1_000;

export class RememberedCommands {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(commandId: string, nowMs: number): RememberedAnswer | undefined {
    const slice = computeSlice(nowMs);
    const [row] = this.#sql
      .exec<{ answer: string }>(
        "SELECT answer FROM outcomes WHERE slice IN (?, ?) AND command_id = +? AND at > +?",
        slice,
        slice - 1,
        commandId,
        nowMs - COMMAND_MEMORY_MS,
      )
      .toArray();
    return row && parseRememberedAnswer(row.answer);
  }

  /** Part of the transaction that executes the command. */
  remember(commandId: string, answer: RememberedAnswer, nowMs: number): void {
    this.#sql.exec(
      "INSERT INTO outcomes (slice, command_id, at, answer) VALUES (?, ?, ?, ?)",
      computeSlice(nowMs),
      commandId,
      nowMs,
      JSON.stringify(answer),
    );
  }

  /** Forgets some outdated commands, and returns when to continue; undefined if none are stored. */
  forgetOld(nowMs: number): number | undefined {
    const oldest = () =>
      this.#sql.exec<{ slice: number }>("SELECT slice FROM outcomes ORDER BY slice LIMIT 1").toArray()[0]?.slice;
    const first = oldest();
    // Checked first: under load the alarm fires constantly, and a DELETE without effect costs as much as any write.
    if (first === undefined || nowMs < forgottenAtMs(first))
      return first === undefined ? undefined : forgottenAtMs(first);
    this.#sql.exec(
      `DELETE FROM outcomes WHERE (slice, command_id) IN (
         SELECT slice, command_id FROM outcomes WHERE slice <= ? ORDER BY slice, command_id LIMIT ?)`,
      computeSlice(nowMs) - 2,
      FORGET_BATCH,
    );
    const next = oldest();
    return next === undefined ? undefined : forgottenAtMs(next);
  }
}

function computeSlice(ms: number): number {
  return Math.floor(ms / COMMAND_SLICE_MS);
}

/** The time at which the last command of a slice is outdated. */
function forgottenAtMs(slice: number): number {
  return (slice + 2) * COMMAND_SLICE_MS;
}
