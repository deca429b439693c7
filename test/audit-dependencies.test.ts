import { describe, expect, it } from "vitest";
import { auditVerdict } from "../scripts/audit-dependencies.ts";

const report = (vulnerabilities: object) => JSON.stringify({ auditReportVersion: 2, vulnerabilities });
const advisory = { title: "Prototype pollution", url: "https://github.com/advisories/GHSA-1" };

describe("auditVerdict", () => {
  it.each(["high", "critical"])("names a dependency with a vulnerability of severity %s", (severity) => {
    expect(auditVerdict(report({ thing: { severity, via: [advisory, "other"] } }))).toEqual({
      type: "audited",
      severe: [`thing (${severity}): ${advisory.title}, ${advisory.url}; through other`],
    });
  });

  it.each(["info", "low", "moderate"])("passes severity %s", (severity) => {
    expect(auditVerdict(report({ thing: { severity, via: [advisory] } }))).toEqual({ type: "audited", severe: [] });
  });

  it("passes a report without vulnerabilities", () => {
    expect(auditVerdict(report({}))).toEqual({ type: "audited", severe: [] });
  });

  it.each([
    ['{"message":"405 Method Not Allowed","error":{"summary":""}}', "405 Method Not Allowed"],
    ["npm error network", "npm error network"],
    ["", "nothing was printed"],
  ])("says that a registry gave no answer: %j", (output, reason) => {
    expect(auditVerdict(output)).toEqual({ type: "unanswered", reason });
  });
});
