// npm run bench:truth -- [--only TEXT] [--write] [--format text|json]
//
// Plans published runs and holds them against what was measured: predicted / published of every point, then by source
// and by kind; fit.mjs says how much worse it gets without each source. `--write` puts the error bands that plans print into
// src/plan/bands.generated.ts. docs/predictions.md says what is predicted, and how.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, ROOT } from "../../scripts/lib.mjs";
import { bandsOf, bandsText } from "./bands.mjs";
import { measuredSeconds, predict } from "./plan.mjs";
import { published } from "./points.mjs";
import { pointLine, tables } from "./report.mjs";

const GIB = 2 ** 30;

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
    format: { type: "string", default: "text" },
  },
});

const { points, models } = published();
const rows = points.filter(({ id }) => id.includes(options.only)).map(rowOf);
if (rows.length === 0) fail(`--only: no point's name has "${options.only}"`, 2);
if (options.format === "json") process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
else process.stdout.write(`${[...rows.map(pointLine), "", ...tables(rows)].join("\n")}\n`);
if (options.write) {
  if (options.only !== "") fail("--write needs all points", 2);
  writeFileSync(join(ROOT, "src/plan/bands.generated.ts"), bandsText(bandsOf(rows)));
}

/** A point with what is predicted of it. */
function rowOf(point) {
  const { bytes, seconds, parts, fits, kind } = predict(point, models[point.model]);
  const { id, source, gpu, kinds, trust, measured, memory_comparable: comparable } = point;
  const step = measuredSeconds(point);
  return {
    ...{ id, source, gpu, kinds, trust, kind, parts },
    refused: !fits && comparable,
    predicted_gib: bytes / GIB,
    published_gib: measured.memory_gib ?? null,
    memory_ratio:
      measured.memory_gib === undefined || !comparable ? null : bytes / GIB / measured.memory_gib,
    predicted_seconds: seconds,
    published_seconds: step ?? null,
    time_ratio: step === undefined ? null : seconds / step,
  };
}
