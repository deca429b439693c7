import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import config from "../../vitest.config.ts";

const { MUTANTS_PROJECT, MUTANTS_TESTS = "" } = process.env;

/**
 * One project with some of its tests, selected by scripts/test-mutants.ts: Stryker would otherwise run each mutant
 * against everything that imports its file.
 */
export default defineConfig({
  test: {
    projects: (config.test!.projects as TestProjectInlineConfiguration[])
      .filter(({ test }) => test?.name === MUTANTS_PROJECT)
      .map((project) => ({ ...project, test: { ...project.test, include: MUTANTS_TESTS.split(" ") } })),
  },
});
