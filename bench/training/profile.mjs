// The costs that every policy schedules by, measured on this machine by the runtime's own calibration.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib.mjs";
import { pinned } from "../calibration/ranks.mjs";
import { FOLDER } from "./setting.mjs";

export const PROFILE = "profile.json"; // beside the specs

/** Measures a profile on a compiled run, its ranks on a core each; what the calibration says of its own errors. */
export async function measureProfile(folder) {
  const out = join(ROOT, FOLDER, PROFILE);
  const module = ["-m", "skrull_runtime.profile", folder];
  return await pinned(folder, [...module, "--out", out, "--name", "bench:training"]);
}

/** The numbers of the profile, as rows of a table. */
export function profileFigures() {
  const profile = JSON.parse(readFileSync(join(ROOT, FOLDER, PROFILE), "utf8"));
  const figures = Object.entries(profile).filter(([name]) => name !== "format_version");
  return figures
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => [name, value.toPrecision(4)]);
}
