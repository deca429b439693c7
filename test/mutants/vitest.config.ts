import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import config from "../../vitest.config.ts";

const { MUTANTS_PROJECT, MUTANTS_TESTS = "" } = process.env;

/** One project with some of its tests, as scripts/test-mutants.ts chooses: Stryker would try each mutant on everything that imports its file. */
export default defineConfig({
  test: {
    projects: (config.test!.projects as TestProjectInlineConfiguration[])
      .filter(({ test }) => test?.name === MUTANTS_PROJECT)
      .map((project) => ({ ...project, test: { ...project.test, include: MUTANTS_TESTS.split(" ") } })),
  },
});
