// The paper's aggregate figures beside what the model gives under the same shapes, for several fixed costs.
import { mean, measure, ratio, table } from "./measure.mjs";
import { neighbours } from "./settings.mjs";

const FIXED = [1000, 10_000, 20_000, 40_000];

/** Speed-ups over one sequence at a time and over sorted batching; free times, degrees {1, N}. */
export function aggregates(settings, { batches, seed }, say) {
  const rows = FIXED.map((fixed) => {
    say(`paper: fixed cost of a micro-batch ${fixed} us`);
    const results = settings.map((setting) => speedUps(setting, batches, seed, fixed));
    const over = (policy, base, name) =>
      results.filter((own) => own.name.startsWith(name)).map((own) => own[base][policy]);
    const cells = (policy) => [
      mean(over(policy, "deepspeed", "")),
      Math.max(...over(policy, "deepspeed", "")),
      mean(over(policy, "deepspeed", "0.5B")),
      mean(over(policy, "deepspeed", "7B")),
      mean(over(policy, "sorted", "")),
    ];
    return ["skrull-paper", "auto"].map((policy) => [
      `modelled, ${fixed / 1000} ms`,
      policy,
      ...cells(policy).map((value) => `${value.toFixed(2)}x`),
    ]);
  });
  const head = ["", "policy", "mean", "best", "0.5B", "7B", "over sorted batching"];
  const published = [
    "measured by the paper",
    "Skrull",
    "3.76x",
    "7.54x",
    "5.50x",
    "2.03x",
    "3.45x",
  ];
  return table(head, [published, ...rows.flat()]);
}

function speedUps(setting, batches, seed, fixed) {
  const cost = { ...setting.model.cost, fixed };
  const of = (policy) => measure(setting, batches, seed, { policy, cost, objective: "free" });
  const bases = {
    deepspeed: of("deepspeed"),
    sorted: sortedBatching(setting, batches, seed, cost),
  };
  const found = { name: setting.name };
  const ours = { "skrull-paper": of("skrull-paper"), auto: of("auto") };
  for (const [name, base] of Object.entries(bases)) {
    found[name] = Object.fromEntries(
      Object.entries(ours).map(([policy, results]) => [policy, ratio(base, results)]),
    );
  }
  return found;
}

/** LongAlign's own: the same sequences, cut into batches of neighbours in length, then packed. */
function sortedBatching(setting, batches, seed, cost) {
  const changes = { policy: "packed", cost, objective: "free" };
  return measure(neighbours(setting, batches, seed), batches, seed, changes);
}

/** One data-parallel rank, CP 8, 64 sequences of ChatQA2, 0.5B: the paper's comparison of its parts. */
export function roundRobin(chatqa2, { batches, seed }, say) {
  const setting = { ...chatqa2, data_parallel: 1, sequences: 64 };
  const rows = FIXED.map((fixed) => {
    say(`round-robin: fixed cost ${fixed} us`);
    const cost = { ...setting.model.cost, fixed };
    const of = (policy) => measure(setting, batches, seed, { policy, cost, objective: "free" });
    const base = of("deepspeed");
    const over = (policy) => `${ratio(base, of(policy)).toFixed(2)}x`;
    return [
      `modelled, ${fixed / 1000} ms`,
      over("round-robin"),
      over("skrull-paper"),
      over("auto"),
    ];
  });
  const head = ["", "round-robin", "skrull-paper", "auto"];
  return table(head, [["measured by the paper", "1.17x", "1.40x", "-"], ...rows]);
}
