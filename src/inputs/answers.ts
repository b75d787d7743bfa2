import { join } from "pathe";
import { readText, sha256Of } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";

/** What has been asked of models: their dimensions, and whether they train exactly. */
type Question = "models" | "verdicts";

/** What the runtime once answered about a configuration, by its content; `undefined` where it was not asked. */
export function keptAnswer(host: Host, question: Question, config: unknown): unknown {
  const place = placeOf(host, question, config);
  try {
    return place === undefined ? undefined : JSON.parse(readText(host, place));
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A cache that cannot be written is none. */
export function keepAnswer(host: Host, question: Question, config: unknown, answer: unknown): void {
  const place = placeOf(host, question, config);
  try {
    if (place !== undefined) host.writeFile(place, `${JSON.stringify(answer)}\n`);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

/** `undefined` without a cache. */
function placeOf(host: Host, question: Question, config: unknown): string | undefined {
  if (host.cacheFolder === undefined) return undefined;
  return join(host.cacheFolder, question, `${sha256Of(host, JSON.stringify(config))}.json`);
}
