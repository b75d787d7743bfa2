import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RANGES } from "../../src/emit/versions.js";
import { VERSIONS } from "../../src/foundation/versions.generated.js";
import { compareVersions } from "../../src/lint/deepspeed.js";

describe("versions of packages", () => {
  const project = readFileSync(new URL("../../python/pyproject.toml", import.meta.url), "utf8");

  it.each(Object.entries(RANGES))("the runtime's package takes the same %s", (name, range) => {
    expect(project).toContain(`  "${name}${range}",\n`);
  });

  it.each(
    Object.entries(VERSIONS.packages),
  )("%s: the range holds what was tried", (_, versions) => {
    expect(compareVersions(versions.oldest, versions.newest)).toBeLessThan(0);
    expect(compareVersions(versions.newest, versions.below)).toBeLessThan(0);
  });
});
