import { dirname, resolve } from "pathe";
import type { Host } from "../host/host.js";
import { LEVELS, type Level } from "./level.js";
import type { LintSubject, SpecSubject } from "./subject.js";

/**
 * A subject with what can be known around its spec up to a level: from small files and from lengths that were measured
 * before. Nothing is measured, and what cannot be read is left out. The code of higher levels is loaded when it is needed.
 */
export async function loadSubject(
  host: Host,
  subject: SpecSubject,
  level: Level,
): Promise<LintSubject> {
  if (LEVELS.indexOf(level) < LEVELS.indexOf("model")) return subject;
  const folder = dirname(resolve(host.workingFolder, subject.file));
  const { loadFacts } = await import("./facts/load-facts.js");
  return { ...subject, ...(await loadFacts(host, folder, subject, level)) };
}
