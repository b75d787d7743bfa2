import { homedir } from "node:os";
import { join, resolve } from "pathe";

/** Where skrull keeps what it can make again; `undefined` where nothing is to be kept. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const chosen = environment["SKRULL_CACHE"];
  if (chosen !== undefined) return chosen === "" ? undefined : resolve(chosen);
  const base = environment["XDG_CACHE_HOME"];
  return join(base || join(homedir(), ".cache"), "skrull");
}
