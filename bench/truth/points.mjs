import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib.mjs";

/** The published runs, with the dimensions of their models. */
export const published = () =>
  JSON.parse(readFileSync(join(ROOT, "bench/truth/published.json"), "utf8"));
