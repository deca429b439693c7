import { describe, expect, it } from "vitest";
import type { Difference, Severity } from "../../../schema/compatibility.ts";
import { differencesForRole, ROLE_SIDES, ROLES, weighForRole } from "../../../schema/rules/roles.ts";

function difference(kind: string, severity: Severity = "info"): Difference {
  return {
    kind,
    severity,
    reader_pointer: "/a",
    writer_pointer: "/a",
    message: "The reader's note differs from the writer's. The writer may go on.",
    fix: "Let the reader accept it.",
  };
}

function severityOf(role: (typeof ROLES)[number] | null, kind: string, severity: Severity = "info"): Severity {
  const weighed = weighForRole({ ok: true, value: { differences: [difference(kind, severity)] } }, role);
  return weighed.ok ? weighed.value.differences[0]!.severity : "breaking";
}

describe("weighForRole", () => {
  it.each([
    ["DESCRIPTION_CHANGED", ["tool_input", "model_output"]],
    ["DOCUMENTATION_CHANGED", ["tool_input", "model_output"]],
    ["EXAMPLES_CHANGED", ["tool_input", "model_output"]],
    ["TITLE_CHANGED", ["tool_input", "model_output"]],
    ["DEFAULT_CHANGED", ["tool_input", "model_output"]],
    ["PROPERTY_REMOVED", ["tool_input", "prompt_variables"]],
    ["FIELD_REMOVED", ["tool_input", "prompt_variables"]],
    ["OPTIONAL_PROPERTY_ADDED", []],
    ["ENUM_DEFAULT_SUBSTITUTED", []],
  ])("makes %s a warning for %j and no other role", (kind, warned) => {
    expect(ROLES.filter((role) => severityOf(role, kind) === "warning")).toEqual(warned);
    expect(severityOf(null, kind)).toBe("info");
  });

  it("never changes whether a difference breaks", () => {
    for (const role of ROLES) {
      expect(severityOf(role, "DESCRIPTION_CHANGED", "breaking")).toBe("breaking");
      expect(severityOf(role, "DESCRIPTION_CHANGED", "warning")).toBe("warning");
    }
  });

  it("leaves a refused comparison unchanged", () => {
    const failed = { ok: false, refusal: { reason: "too_complex", pointer: "", message: "" } } as const;

    expect(weighForRole(failed, "tool_input")).toBe(failed);
  });
});

describe("differencesForRole", () => {
  it.each(ROLES)("names the sides of %s, in message and fix", (role) => {
    const [said] = differencesForRole([difference("X")], role);

    const { reader, writer } = ROLE_SIDES[role];
    const capital = (side: string) => side[0]!.toUpperCase() + side.slice(1);
    expect(said!.message).toBe(`${capital(reader)}'s note differs from ${writer}'s. ${capital(writer)} may go on.`);
    expect(said!.fix).toBe(`Let ${reader} accept it.`);
    expect(`the ${said!.affected}`).toBe(reader);
    expect(`the ${said!.caused_by}`).toBe(writer);
  });
});
