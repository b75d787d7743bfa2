// Times of other programs' ways over ours, on the settings of most tables.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/lib.mjs";
import { measure, ratio, table } from "./measure.mjs";
import { problemOf } from "./settings.mjs";

const { PEER_NAMES, solveByPeer } = await import(
  pathToFileURL(join(ROOT, "dist/schedule/peers/index.js")).href
);

const BUDGET_MS = 50;

/** Summed lockstep times of peers over those of `auto`, with the same groups to choose from. */
export function peers(settings, { batches, seed }, say) {
  const rows = [];
  for (const setting of settings) {
    for (const degrees of ["local-or-all", "pool"]) {
      say(`peers: ${setting.name}, ${degrees}`);
      const changes = { degrees, objective: "lockstep" };
      const ours = measure(setting, batches, seed, { ...changes, time_budget_ms: BUDGET_MS });
      const times = PEER_NAMES.map((peer) =>
        Array.from({ length: batches }, (_, n) => {
          const solution = solveByPeer(peer, problemOf(setting, seed, n, changes));
          return solution.ok ? { time: solution.schedule.iteration_time } : null;
        }),
      );
      const ahead = times.map(
        (own) => own.filter((one, n) => one && one.time < ours[n].time * (1 - 1e-9)).length,
      );
      rows.push([
        setting.name,
        degrees,
        ...times.map((own) => ratio(own, ours).toFixed(2)),
        Math.max(...ahead),
      ]);
    }
  }
  return table(["setting", "degrees", ...PEER_NAMES, "batches on which one is ahead"], rows);
}
