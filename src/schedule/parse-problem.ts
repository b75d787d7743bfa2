import { Ajv, type ErrorObject } from "ajv";
import { isPowerOfTwo } from "../foundation/integers.js";
import { MOST_PAIRS, MOST_RANKS } from "../foundation/limits.generated.js";
import { rankCount } from "./degrees.js";
import type { Problem, ScheduleError } from "./problem.js";
import { PROBLEM_SCHEMA } from "./problem-schema.generated.js";

export type ParsedProblem =
  | { readonly ok: true; readonly problem: Problem }
  | { readonly ok: false; readonly error: ScheduleError };

const validate = new Ajv({ useDefaults: true, strictNumbers: true }).compile<Problem>(
  PROBLEM_SCHEMA,
);

/** A problem from parsed JSON, defaults filled in; or what is invalid, with a JSON pointer. Never throws. */
export function parseProblem(json: unknown): ParsedProblem {
  const problem: unknown = structuredClone(json);
  if (!validate(problem)) {
    const [first] = validate.errors ?? [];
    return { ok: false, error: first ? schemaError(first) : invalid("is not a problem", "") };
  }
  const error = meaningError(problem);
  return error ? { ok: false, error } : { ok: true, problem };
}

const invalid = (message: string, path: string): ScheduleError => ({
  code: "invalid-problem",
  message,
  path,
});

const pointerPart = (key: string): string => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;

function schemaError({
  instancePath,
  keyword,
  params,
  message,
  propertyName,
}: ErrorObject): ScheduleError {
  if (keyword === "required") {
    const key = String(params["missingProperty"]);
    return invalid(`the key '${key}' is missing`, instancePath + pointerPart(key));
  }
  if (keyword === "additionalProperties") {
    const key = String(params["additionalProperty"]);
    return invalid("this key is not known", instancePath + pointerPart(key));
  }
  if (propertyName !== undefined || keyword === "propertyNames") {
    const key = propertyName ?? String(params["propertyName"]);
    return invalid("a degree is a whole number of at least 2", instancePath + pointerPart(key));
  }
  const allowed = "allowedValues" in params ? `: ${String(params["allowedValues"])}` : "";
  return invalid(`${message ?? "is invalid"}${allowed}`, instancePath);
}

function meaningError(problem: Problem): ScheduleError | undefined {
  const { degrees, context_parallel: context } = problem;
  const ranks = rankCount(problem);
  if (ranks > MOST_RANKS)
    return invalid(`there are more than ${MOST_RANKS} ranks`, "/data_parallel");
  if (problem.lengths.length * ranks > MOST_PAIRS)
    return invalid(`sequences times ranks are more than ${MOST_PAIRS}`, "/lengths");
  if (degrees !== "local-or-all" && !isPowerOfTwo(context)) {
    return invalid("must be a power of two for these degrees", "/context_parallel");
  }
  if (degrees === "pool" && !isPowerOfTwo(ranks)) {
    return invalid("must be a power of two for these degrees", "/data_parallel");
  }
  return undefined;
}
