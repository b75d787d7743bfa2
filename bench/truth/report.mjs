/** Share of ratios that are within a factor of 1, percent. */
const within = (ratios, factor) =>
  (100 * ratios.filter((ratio) => Math.abs(Math.log(ratio)) <= Math.log(factor)).length) /
  ratios.length;

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** A point's two ratios; `!` marks a run that trained and is refused. */
export function pointLine(row) {
  const memory =
    row.memory_ratio === null
      ? row.refused
        ? "! refused"
        : ""
      : `${row.predicted_gib.toFixed(1).padStart(6)} / ${row.published_gib.toFixed(1).padStart(5)} GiB = ${row.memory_ratio.toFixed(2)}${row.refused ? "!" : ""}`;
  const time =
    row.time_ratio === null
      ? ""
      : `${row.predicted_seconds.toFixed(2).padStart(9)} / ${row.published_seconds.toFixed(2).padStart(8)} s = ${row.time_ratio.toFixed(2)}`;
  return `${row.id.padEnd(40)} ${memory.padEnd(30)} ${time}`.trimEnd();
}

/** Memory and time, of all, by source and by kind. */
export function tables(rows) {
  return [
    ...table(rows, "memory_ratio", "Memory, predicted / published", [1.2, 1.25]),
    "",
    ...table(rows, "time_ratio", "Time, predicted / published", [1.15, 1.25]),
    "",
    ...refused(rows),
  ];
}

function table(rows, key, title, factors) {
  const shares = factors.map((factor) => `within ${Math.round(100 * (factor - 1))}%`.padStart(12));
  const head = `  ${"".padEnd(34)} ${"n".padStart(3)} ${"median".padStart(7)} ${"range".padStart(12)}${shares.join("")}`;
  const sound = rows.filter(({ trust }) => trust === "good" || trust === "fair");
  const lines = [
    title,
    head,
    line("all", rows, key, factors),
    line("all but doubtful and limits", sound, key, factors),
  ];
  for (const [name, of] of [
    ["source", ({ source }) => source],
    ["kind", ({ kind }) => kind],
    ["GPU", ({ gpu }) => gpu],
  ]) {
    for (const value of [...new Set(rows.map(of))].sort()) {
      const own = line(
        `${name} ${value}`,
        rows.filter((row) => of(row) === value),
        key,
        factors,
      );
      if (own) lines.push(own);
    }
  }
  return lines.filter(Boolean);
}

function line(name, rows, key, factors) {
  const ratios = rows.map((row) => row[key]).filter((ratio) => ratio !== null);
  if (ratios.length === 0) return "";
  const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
  const shares = factors.map((factor) => `${within(ratios, factor).toFixed(0)}%`.padStart(12));
  return `  ${name.padEnd(34)} ${String(ratios.length).padStart(3)} ${median(ratios).toFixed(2).padStart(7)} ${range.padStart(12)}${shares.join("")}`;
}

function refused(rows) {
  const own = rows.filter((row) => row.refused);
  const names = own.map(({ id, trust }) => `${id} (${trust})`).join(", ");
  return [`${own.length} of ${rows.length} runs that trained are refused${names && `: ${names}`}`];
}
