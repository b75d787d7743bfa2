import { describe, expect, it } from "vitest";
import { LANGUAGE } from "../../src/language/language.js";
import { referencePage } from "../../src/language/reference-page.js";
import { type Block, type Properties, type ValueType, wordsOf } from "../../src/language/types.js";
import { UNITS } from "../../src/language/units.js";

const page = referencePage();
const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

describe("the reference", () => {
  it("has a section per block, and a row per key with its documentation", () => {
    const [, reuse, ...sections] = page.split(/^## /m);
    expect(reuse).toContain("Names and reuse");
    expect(sections.map((section) => /^`(\w+)`/.exec(section)?.[1])).toEqual(Object.keys(BLOCKS));
    const escaped = (text: string) => text.replaceAll("|", "\\|");
    const expectRows = (section: string, properties: Properties) => {
      for (const [key, { doc, type }] of Object.entries(properties)) {
        const row = section.split("\n").find((line) => line.startsWith(`| \`${key}\` |`));
        expect(row).toBeDefined();
        expect(section).toContain(escaped(doc));
        if (type.kind === "tagged")
          for (const [tag, inside] of Object.entries(type.variants)) {
            if (Object.keys(inside).length === 0) {
              expect(row).toContain(`\`${tag}\``);
              continue;
            }
            expect(section).toContain(`### \`${key} = ${tag} { ... }\``);
            expectRows(section, inside);
          }
      }
    };
    Object.values(BLOCKS).forEach((block, n) => {
      expectRows(sections[n] ?? "", block.properties);
    });
  });

  it("writes every row with four cells", () => {
    const [, tables] = page.split(/^(?=## `)/m, 2);
    const rows = page.slice(page.indexOf(tables ?? "")).split("\n");
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows.filter((line) => line.startsWith("|")))
      expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  });

  it("states defaults as a spec would", () => {
    expect(page).toContain("| `400 Gbit/s` |");
    expect(page).toContain("| `2 GiB` |");
    expect(page).toContain("| `[0.9, 0.999]` |");
    expect(page).toContain("| `constant` |");
  });
});

describe("a default", () => {
  const fits = (value: unknown, type: ValueType): boolean => {
    switch (type.kind) {
      case "string":
      case "path":
        return typeof value === "string";
      case "enumeration":
        return type.values.includes(String(value));
      case "list":
        return Array.isArray(value) && value.every((item) => fits(item, type.item));
      case "tagged": {
        const { type: tag, ...rest } = value as { readonly type: string };
        const keys = Object.keys(type.variants[tag] ?? {});
        const others = type.open?.[tag] ? ["others"] : [];
        return Object.keys(rest).join() === [...keys, ...others].join();
      }
      case "scalar":
        return ["string", "number", "boolean"].includes(typeof value);
      case "boolean":
        return typeof value === "boolean";
      default: {
        if (typeof value === "string") return wordsOf(type).includes(value);
        const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = type.range;
        return typeof value === "number" && value >= min && value <= max;
      }
    }
  };
  const all = Object.entries(BLOCKS).flatMap(([name, block]) =>
    Object.entries(block.properties).flatMap(([key, property]) =>
      "default" in property ? [[`${name}.${key}`, property.default, property.type] as const] : [],
    ),
  );
  it.each(all)("of %s is a value of its type", (_, value, type) => {
    expect(fits(value, type)).toBe(true);
  });
});

describe("the units", () => {
  it("are the contract's", () => {
    expect(UNITS.tokens).toMatchObject({ K: 1024, M: 1_048_576 });
    expect(UNITS.bytes).toMatchObject({ GiB: 2 ** 30, TiB: 2 ** 40, GB: 1e9, TB: 1e12 });
    expect(UNITS.bandwidth).toMatchObject({ "Gbit/s": 125e6, "GB/s": 1e9 });
  });
});
