import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LANGUAGE } from "../../src/language/language.js";
import { ALL_PEERS, LONGALIGN } from "../../src/plan/compare.js";
import { PEER_NAMES } from "../../src/schedule/peers/index.js";
import { DEGREE_CLASSES, POLICY_NAMES } from "../../src/schedule/problem.js";
import { ROOT } from "../cli/run.js";

const PAGE = readFileSync(join(ROOT, "docs/policies.md"), "utf8");

it("the page on policies has a row for each, and explains whatever else a comparison names", () => {
  const rows = [...PAGE.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining([...POLICY_NAMES, ...PEER_NAMES]));
  for (const name of [
    ...DEGREE_CLASSES,
    LONGALIGN,
    ...LANGUAGE.schedule.properties.cost.type.values,
  ])
    expect(PAGE).toContain(`\`${name}\``);
  expect(PAGE).toContain(`,${ALL_PEERS}\``);
});

it("has a picture of each", () => {
  const shown = [...PAGE.matchAll(/\(figures\/policies\/([\w-]+)\.svg\)/g)].map(([, name]) => name);
  const policies = POLICY_NAMES.filter((policy) => policy !== "auto");
  const auto = DEGREE_CLASSES.map((degrees) => `auto-${degrees}`);
  expect(shown.toSorted()).toEqual([...policies, ...auto, ...PEER_NAMES].toSorted());
});
