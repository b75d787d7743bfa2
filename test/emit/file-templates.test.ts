import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { TEMPLATED_FILES } from "../../src/emit/emit-run.js";

it.each(TEMPLATED_FILES.map(({ path }) => path))("%s has a template", (path) => {
  expect(existsSync(new URL(`../../templates/${path}.hbs`, import.meta.url))).toBe(true);
});
