/** What the steps of a semantic comparison share: both sides, the work meter, and where losses and pairs of types go. */
import type { CompareOptions } from "../../../compatibility.ts";
import type { WorkMeter } from "../../../work-meter.ts";
import type { TypeDefinition } from "../../model.ts";
import type { LinkedModel } from "../linked.ts";
import type { Loss, LossKind } from "./losses.ts";

export interface SemanticComparison {
  readonly reader: LinkedModel;
  readonly writer: LinkedModel;
  readonly options: CompareOptions;
  readonly work: WorkMeter;
  /** Messages whose extensions were compared together with their fields. */
  readonly extendees: Set<string>;
  /** Reports a loss: `what` describes the change, and the table of losses its cost, unless `here` overrides it. */
  add(kind: LossKind, readerPointer: string | null, writerPointer: string | null, what: string, here?: Loss): void;
  /** Queues a type the writer sends and the type the reader takes it for; each pair is compared once. */
  pairTypes(writer: TypeDefinition, reader: TypeDefinition): void;
  /** Whether two types have the same name, ignoring the packages of the two schemas themselves. */
  isSameName(writer: TypeDefinition, reader: TypeDefinition): boolean;
}
