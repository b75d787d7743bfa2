import { VERSIONS } from "../foundation/versions.generated.js";
import { RANGES } from "./versions.js";

/** docs/reference/versions.md: what runs were tried with, and what older versions lack. */
export function versionsPage(): string {
  const packages = Object.entries(VERSIONS.packages).map(
    ([name, { oldest, newest }]) =>
      `| \`${name}\` | \`${RANGES[name as keyof typeof RANGES]}\` | ${oldest} | ${newest} |`,
  );
  const features = VERSIONS.features.map(
    (entry) =>
      `| ${entry.feature} | ${entry.package} ${entry.since} | ${"refused" in entry ? "refused: " : ""}${entry.without} |`,
  );
  return `${[
    "<!-- Generated from contract/versions.json by npm run generate. Do not edit. -->",
    "",
    "# Versions",
    "",
    "An emitted run takes any of these; `requirements.txt` asks for them. `npm run test:versions` runs the runtime's core tests",
    "with the oldest and the newest of all three. A run refuses an older version, and says so where one is newer.",
    "",
    "| package | range | oldest tried | newest tried |",
    "|---|---|---|---|",
    ...packages,
    "",
    "What an older version lacks is switched off, and the run prints a line; what would go wrong is refused:",
    "",
    "| feature | needs | without it |",
    "|---|---|---|",
    ...features,
  ].join("\n")}\n`;
}
