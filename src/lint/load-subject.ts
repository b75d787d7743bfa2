import { dirname, resolve } from "pathe";
import type { Host } from "../host/host.js";
import type { Spec } from "../language/language.js";
import type { Origins } from "../semantics/report.js";
import { LEVELS, type Level } from "./rule.js";
import type { LintSubject } from "./subject.js";

/** A sound spec as the checker gave it. */
export interface CheckedSpec {
  readonly file: string;
  readonly text: string;
  readonly spec: Spec;
  readonly origins: Origins;
}

/**
 * A subject with what can be known around its spec up to a level: from small files and from lengths that were measured
 * before. Nothing is measured, and what cannot be read is left out. The code of higher levels is loaded when it is needed.
 */
export async function loadSubject(
  host: Host,
  { file, text, spec, origins }: CheckedSpec,
  level: Level,
): Promise<LintSubject> {
  const subject: LintSubject = { file, text, spec, origins };
  const wanted = LEVELS.indexOf(level);
  if (wanted < LEVELS.indexOf("inputs")) return subject;
  const folder = dirname(resolve(host.workingFolder, file));
  const { loadFacts } = await import("./facts/load-facts.js");
  return { ...subject, ...(await loadFacts(host, folder, subject, level)) };
}
