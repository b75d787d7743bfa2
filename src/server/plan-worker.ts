import { dirname } from "pathe";
import { NodeHost } from "../host/node-host.js";
import { loadInputs } from "../inputs/load-inputs.js";
import { makePlan } from "../plan/make-plan.js";
import type { MemoryPlan } from "../plan/plan.js";
import { type DegreeChoice, settle } from "../plan/settle.js";
import { analyse } from "./analyse.js";

export interface PlanTask {
  /** Absolute, of the spec. */
  readonly path: string;
  /** As it is in the editor. */
  readonly text: string;
  /** Open documents by path: an import may be one of them. */
  readonly openTexts: Readonly<Record<string, string>>;
  /** Of the file's runs; the first where none is named. */
  readonly run?: string;
  readonly workingFolder: string;
  readonly skrullVersion: string;
}

/** What hovers show of a plan. */
export interface PlanAnswer {
  /** Whose plan it is, where the file has several. */
  readonly run?: string;
  /** Why there is no plan, in one sentence. */
  readonly problem?: string;
  readonly memory?: MemoryPlan;
  /** Ranks of the run, and the CP degree of the plan. */
  readonly ranks?: number;
  readonly context?: number;
  /** Degrees at which everything fits, the fastest first. */
  readonly degrees?: readonly DegreeChoice[];
  readonly samples?: number;
}

class NotMeasured extends Error {}

const NOT_MEASURED = "The data has not been measured yet: `skrull plan` does that, once.";

/** The entry point of a worker thread: the plan of a text, from lengths that are already measured. */
export default async function planOf(task: PlanTask): Promise<PlanAnswer> {
  const host = new NodeHost(task.workingFolder);
  const { runs } = analyse(host, task.path, task.text, (path) => task.openTexts[path]);
  const run = task.run === undefined ? runs[0] : runs.find(({ name }) => name === task.run);
  if (!run?.spec) return { problem: "The spec has errors." };
  const { spec, origins } = run;
  // Called only where lengths are counted anew, which may take minutes.
  const refuse = () => {
    throw new NotMeasured();
  };
  try {
    const loaded = await loadInputs(host, dirname(task.path), spec, origins, { progress: refuse });
    const [error] = loaded.diagnostics.filter(({ severity }) => severity === "error");
    if (!loaded.inputs) return { problem: error?.message ?? "The inputs cannot be read." };
    const { skrullVersion } = task;
    const inputs = {
      ...loaded.inputs,
      tokenizerSha256: loaded.inputs.tokenizer.sha256,
      skrullVersion,
    };
    const { plan, diagnostics } = makePlan(spec, origins, inputs);
    const open = { ...spec, parallel: { ...spec.parallel, context: "auto" as const } };
    const degrees = settle(open, origins, inputs).choices;
    const problem = diagnostics.find(({ severity }) => severity === "error")?.message;
    return {
      ...(run.name === undefined ? {} : { run: run.name }),
      degrees,
      samples: inputs.data.summary.samples,
      ...(problem === undefined ? {} : { problem }),
      ...(plan && {
        memory: plan.memory,
        ranks: plan.topology.ranks,
        context: plan.topology.context_parallel,
      }),
    };
  } catch (error) {
    if (error instanceof NotMeasured) return { problem: NOT_MEASURED };
    throw error;
  }
}
