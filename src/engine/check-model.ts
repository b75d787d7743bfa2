import type { Host } from "../host/host.js";
import { askRuntime } from "./start.js";

const START =
  "import json; from skrull_runtime.check_model.__main__ import check; print(json.dumps(check('-').as_json()), flush=True)";

/** What `python -m skrull_runtime.check_model` says of a configuration. */
export interface Verdict {
  /** `unchecked` where there is no Python that has what a check needs. */
  readonly verdict: "taken" | "refused" | "unchecked";
  /** Why it is not taken. */
  readonly reason: string | null;
}

/**
 * Whether a model trains exactly: tried by the runtime on a small copy with random weights, which takes some seconds.
 *
 * @param folder of the spec: Python is looked for from there
 */
export async function checkModel(host: Host, folder: string, config: unknown): Promise<Verdict> {
  const { python, line, complaint } = await askRuntime(host, folder, START, config);
  const verdict = line === undefined ? undefined : verdictIn(parsed(line));
  if (verdict) return verdict;
  const reason = `'${python}' gives no verdict (${complaint === "" ? "it was ended" : complaint})`;
  return { verdict: "unchecked", reason };
}

/** A verdict in JSON; `undefined` where it is something else. */
export function verdictIn(json: unknown): Verdict | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { verdict, reason } = json as Readonly<Record<string, unknown>>;
  if (verdict !== "taken" && verdict !== "refused" && verdict !== "unchecked") return undefined;
  return { verdict, reason: typeof reason === "string" ? reason : null };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
