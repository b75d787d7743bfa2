import type { ConfigProblem } from "../catalogue/refusals.js";
import { isTested } from "../catalogue/tested.js";
import { checkModel, type Verdict, verdictIn } from "../engine/check-model.js";
import type { Host } from "../host/host.js";
import { keepAnswer, keptAnswer } from "./answers.js";

/** Who has found that a model trains exactly: skrull's own tests, or a check of this very configuration. */
export type ModelCheck = "tested" | "checked" | "unchecked";

/** What is known of a model's training without asking. */
export interface KnownCheck {
  readonly check: ModelCheck;
  /** Why a check refused it. */
  readonly problem?: ConfigProblem;
}

/** What is known of a configuration by skrull's own tests, or by a check that was made before. */
export function knownCheck(host: Host, config: unknown): KnownCheck {
  if (isTested(config)) return { check: "tested" };
  const kept = verdictIn(keptAnswer(host, "verdicts", config));
  return kept ? knownBy(kept, config) : { check: "unchecked" };
}

/** Has a model checked of which nothing is known, and keeps the verdict. */
export async function checkedModel(
  host: Host,
  folder: string,
  config: unknown,
): Promise<KnownCheck> {
  const verdict = await checkModel(host, folder, config);
  if (verdict.verdict !== "unchecked") keepAnswer(host, "verdicts", config, verdict);
  return knownBy(verdict, config);
}

/** In the words of a run that refuses the model. */
function knownBy({ verdict, reason }: Verdict, config: unknown): KnownCheck {
  if (verdict === "unchecked") return { check: "unchecked" };
  if (verdict === "taken") return { check: "checked" };
  const { model_type } = config as { readonly model_type: string };
  const problem = `model_type = ${model_type} cannot be trained: ${reason}`;
  return { check: "checked", problem: { problem } };
}
