/** Queries between writes: lookups and compatibility checks, which change nothing. */
import type { ErrorName } from "../../contract/errors.ts";
import { SCHEMA_TYPES } from "./contents.ts";
import { findKnown, isIncompatible, type Registration, readCandidate } from "./predict-register.ts";
import { live, type ModelRecord, type Name, print, type RegistryState } from "./registry-state.ts";
import type { World } from "./world.ts";

/** `POST /subjects/{s}`, with a qualified name, because an unqualified one also searches other contexts. */
export async function lookUp(state: RegistryState, world: World, asked: Registration): Promise<void> {
  const { content, spelling, normalise, reference, metadata } = asked;
  const printed = asked.name.context === "." ? `:.:${asked.name.subject}` : print(asked.name);
  const answer = await world.read(`/subjects/${encodeURIComponent(printed)}${normalise ? "?normalize=true" : ""}`, {
    schema: content.spellings[spelling]!.text,
    schemaType: SCHEMA_TYPES[content.format],
    ...(reference === null ? {} : { references: [reference] }),
    ...(metadata === null ? {} : { metadata }),
  });
  const [own, ...others] = state.namesakes(asked.name).map((name) => lookUpUnder(state, name, asked));
  const expected = [own!, ...others].find((found) => typeof found !== "string") ?? own!;
  if (own === "INVALID_SCHEMA") return world.expectRefusal("confluent", answer, own);
  if (typeof expected === "string") return world.expectRefusal("confluent", answer, expected);
  world.expectOk(answer, 200, { id: expected.confluentId, version: expected.number });
}

function lookUpUnder(state: RegistryState, name: Name, asked: Registration): ModelRecord | ErrorName {
  const candidate = readCandidate(state, name, asked, { importing: false, deletedReferences: true });
  if (!candidate) return "INVALID_SCHEMA";
  const subject = state.subject(name);
  if (!subject || live(subject).length === 0) return "SUBJECT_NOT_FOUND";
  return findKnown(subject, candidate, { ...asked, api: "confluent" }, true) ?? "SCHEMA_TEXT_NOT_FOUND";
}

/** Requests a registration's compatibility check from both APIs. */
export async function check(state: RegistryState, world: World, asked: Registration): Promise<void> {
  const { content, spelling, reference } = asked;
  const name = state.resolve(asked.name);
  const candidate = readCandidate(state, name, asked, { importing: false, deletedReferences: false });
  const { text } = content.spellings[spelling]!;
  const answer =
    asked.api === "confluent"
      ? await world.read(`/compatibility/subjects/${encodeURIComponent(print(asked.name))}/versions`, {
          schema: text,
          schemaType: SCHEMA_TYPES[content.format],
          ...(reference === null ? {} : { references: [reference] }),
        })
      : await world.read("/api/v1/compatibility/check", {
          subject: print(asked.name),
          format: content.format,
          content: content.format === "protobuf" ? text : JSON.parse(text),
          ...(asked.dialect === null ? {} : { dialect: asked.dialect }),
          ...(reference === null
            ? {}
            : { references: [{ ...reference, version: reference.version === -1 ? "latest" : reference.version }] }),
        });
  if (!candidate) return world.expectRefusal(asked.api, answer, "INVALID_SCHEMA");
  const compatible = !isIncompatible(state, state.subject(name), candidate);
  world.expectOk(answer, 200, asked.api === "confluent" ? { is_compatible: compatible } : { compatible });
}
