// How far schedules are from the lower bound, and how far ahead of other policies.
import { gapText, measure, percent, ratio, table } from "./measure.mjs";

const CASES = [
  ["local-or-all", "free"],
  ["local-or-all", "lockstep"],
  ["powers-of-two", "free"],
  ["powers-of-two", "lockstep"],
  ["pool", "lockstep"],
];
const POLICIES = ["skrull-paper", "round-robin", "dacp", "packed", "sorted", "deepspeed"];

/** Gap, mean / worst in percent, of construction alone and with budgets by the clock. */
export function gaps(settings, { batches, seed }, say) {
  const rows = [];
  for (const setting of settings) {
    for (const [degrees, objective] of CASES) {
      say(`gaps: ${setting.name}, ${degrees}, ${objective}`);
      const of = (time_budget_ms) =>
        gapText(measure(setting, batches, seed, { degrees, objective, time_budget_ms }));
      const long = setting.name.includes("ChatQA2") ? of(500) : "-";
      rows.push([setting.name, degrees, objective, of(0), of(50), long]);
    }
  }
  const head = ["setting", "degrees", "objective", "constructed", "50 ms", "500 ms"];
  return table(head, rows);
}

/** Summed free times of other policies over ours, in the class that all of them belong to and in a wider one. */
export function ratios(settings, { batches, seed }, say) {
  const rows = [];
  for (const setting of settings) {
    const budget = setting.name.includes("ChatQA2") ? 500 : 50;
    const others = POLICIES.map((policy) =>
      measure(setting, batches, seed, { policy, objective: "free" }),
    );
    for (const degrees of ["local-or-all", "powers-of-two"]) {
      say(`ratios: ${setting.name}, ${degrees}`);
      const changes = { degrees, objective: "free", time_budget_ms: budget };
      const ours = measure(setting, batches, seed, changes);
      const gaveUp = others[0].filter((result) => result === null).length;
      const above = ours.filter(({ time }, n) => time > others[3][n].time).length;
      const cells = others.map((other) => ratio(other, ours).toFixed(2));
      rows.push([setting.name, degrees, `${budget} ms`, ...cells, gaveUp, above]);
    }
  }
  return table(
    ["setting", "degrees", "budget", ...POLICIES, "skrull-paper gave up", "above packed"],
    rows,
  );
}

/** Small shards that run their attention slowly: gap, and the paper's and packed's times over ours. */
export function smallShards(settings, { batches, seed }, say) {
  const rows = [];
  for (const setting of settings) {
    for (const tokens of [0, 512, 2048]) {
      say(`small shards: ${setting.name}, ${tokens}`);
      const cost = { ...setting.model.cost, small_shard_tokens: tokens };
      const of = (changes) =>
        measure(setting, batches, seed, { cost, objective: "free", ...changes });
      const ours = of({ time_budget_ms: 50 });
      const [paper, packed] = [of({ policy: "skrull-paper" }), of({ policy: "packed" })];
      const gap = percent(ours.reduce((sum, { gap: own }) => sum + own, 0) / ours.length);
      rows.push([
        setting.name,
        tokens,
        gap,
        ratio(paper, ours).toFixed(2),
        ratio(packed, ours).toFixed(2),
      ]);
    }
  }
  return table(
    ["setting", "small_shard_tokens", "gap %", "over skrull-paper", "over packed"],
    rows,
  );
}
