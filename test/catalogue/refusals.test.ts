import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { refusalsOf } from "../../src/catalogue/refusals.js";

interface Vector {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly refused: readonly string[];
  /** Whether nothing is known against it, but the compiler cannot read its dimensions. */
  readonly unread?: boolean;
  readonly says?: string;
}

const path = new URL("../vectors/refusals.json", import.meta.url);
const VECTORS = JSON.parse(readFileSync(path, "utf8")) as readonly Vector[];

describe("a configuration, as the runtime's tests have it too", () => {
  it.each(VECTORS)("$name: meets its refusals", ({ config, refused, says }) => {
    const found = refusalsOf(config);
    expect(found.map(({ id }) => id)).toEqual(refused);
    if (says !== undefined) expect(found.map(({ problem }) => problem)).toContain(says);
    for (const { help } of found) expect(help).not.toContain("{families}");
  });

  it.each(VECTORS)("$name: has dimensions exactly where it is known and not refused", ({
    config,
    refused,
    unread,
  }) => {
    const read = readDimensions(config);
    const ids = read.ok ? [] : read.problems.map(({ id }) => id ?? "dimension");
    expect(ids).toEqual(unread ? ["undescribed"] : refused);
  });
});
