import { Ajv, type ErrorObject } from "ajv";
import { isPowerOfTwo } from "./degrees.js";
import { type Attempt, type Problem, refuse } from "./problem.js";
import { MAX_RANKS, PROBLEM_SCHEMA } from "./problem-schema.js";

/** Sequences times ranks: beyond this a schedule could take minutes. */
const MAX_WORK = 2 ** 28;

let validator: ReturnType<Ajv["compile"]> | undefined;

/** Checks an untrusted JSON value and fills in the defaults. */
export function parseProblem(json: unknown): Attempt<{ readonly problem: Problem }> {
  validator ??= new Ajv({ strict: true }).compile(PROBLEM_SCHEMA);
  if (!validator(json)) return invalid(pointerOf(validator.errors?.[0]), reasonOf(validator.errors?.[0]));
  const problem = withDefaults(json as GivenProblem);
  const [path, message] = contradiction(problem) ?? [];
  if (path !== undefined && message !== undefined) return invalid(path, message);
  return { ok: true, problem };
}

/** A problem as callers may write it: the contract's defaults left out. */
export type GivenProblem = Pick<
  Problem,
  "format_version" | "lengths" | "data_parallel" | "context_parallel" | "bucket"
> &
  Partial<Omit<Problem, "cost">> & {
    readonly cost: Pick<Problem["cost"], "a1" | "a2" | "comm"> & Partial<Problem["cost"]>;
  };

function withDefaults(given: GivenProblem): Problem {
  return {
    padding: "exact",
    policy: "auto",
    degrees: "local-or-all",
    objective: "lockstep",
    iterations: 0,
    time_budget_ms: 0,
    seed: 0,
    ...given,
    cost: { fixed: 0, small_shard_tokens: 0, ...given.cost },
  };
}

/** What a schema cannot say: a pointer and a message. */
function contradiction(problem: Problem): readonly [string, string] | undefined {
  const { data_parallel: dataParallel, context_parallel: contextParallel, degrees } = problem;
  const ranks = dataParallel * contextParallel;
  if (ranks > MAX_RANKS) {
    return ["/data_parallel", `data_parallel * context_parallel must be at most ${MAX_RANKS}`];
  }
  if (problem.lengths.length * ranks > MAX_WORK) {
    return ["/lengths", `the number of lengths times that of ranks must be at most ${MAX_WORK}`];
  }
  if (degrees !== "local-or-all" && !isPowerOfTwo(contextParallel)) {
    return ["/context_parallel", `must be a power of two with degrees '${degrees}'`];
  }
  if (degrees === "pool" && !isPowerOfTwo(dataParallel)) {
    return ["/data_parallel", `must be a power of two with degrees '${degrees}'`];
  }
  return undefined;
}

function invalid(path: string, message: string) {
  return refuse({ code: "invalid-problem", message: `${path || "the problem"}: ${message}`, path });
}

/** Points at the offending value; for a missing or an unknown property, at that property. */
function pointerOf(error: ErrorObject | undefined): string {
  const params: Record<string, unknown> = error?.params ?? {};
  const property = params["missingProperty"] ?? params["additionalProperty"];
  const parent = error?.instancePath ?? "";
  if (typeof property !== "string") return parent;
  return `${parent}/${property.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function reasonOf(error: ErrorObject | undefined): string {
  if (error?.keyword === "required") return "is missing";
  if (error?.keyword === "additionalProperties") return "is not known here";
  const allowed: unknown = error?.params?.["allowedValues"] ?? error?.params?.["allowedValue"];
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(", ")}`;
  return allowed === undefined ? (error?.message ?? "is not valid") : `must be ${String(allowed)}`;
}
