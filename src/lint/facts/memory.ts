import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import type { Spec } from "../../language/language.js";
import { type PreparedData, prepareData } from "../../lengths/prepare-data.js";
import { problemsOf } from "../../plan/build-plan.js";
import { contextsOf } from "../../plan/contexts.js";
import { rankMemory } from "../../plan/fit.js";
import { type PlanInputs, type SettledSpec, type Setup, setUp } from "../../plan/setup.js";
import type { Origins } from "../../semantics/report.js";
import type { InputFacts, LengthFacts, MemoryChange } from "../subject.js";
import type { Machine } from "./machine.js";

/** What the planner takes: where lengths are not known, as if the longest sequence were one token. */
export function planInputs(machine: Machine, lengths: LengthFacts | undefined): PlanInputs {
  return {
    modelName: "",
    dimensions: machine.dimensions,
    gpu: machine.gpu,
    profile: machine.profile,
    tokenizerSha256: "",
    // Nothing of memory or schedules depends on it.
    rendering: NO_RENDERING,
    renderingFacts: NO_FACTS,
    data: lengths?.train ?? withLongest(1),
    evaluation: lengths?.evaluation,
    skrullVersion: "",
  };
}

const NO_RENDERING: PlanInputs["rendering"] = {
  format: { type: "auto" },
  columns: {},
  roles: {},
  ignore: [],
  template: { type: "auto" },
  arguments: {},
  date: "",
  begin: null,
  end: null,
  markers: "text",
  train_newline: false,
  rewritten: "split",
};

const NO_FACTS: PlanInputs["renderingFacts"] = {
  template: "own",
  template_sha256: "",
  reads_date: false,
  begin: "",
  end: "",
  ends: [],
  settings: "",
};

/** Data of no samples, whose longest is of that many tokens. */
function withLongest(longest: number): PreparedData {
  const none = prepareData([], {
    maxLength: longest,
    overlong: "error",
    weights: [],
    minTurns: 0,
    unique: false,
    share: 0,
    heldOut: false,
  });
  return { ...none, summary: { ...none.summary, longest } };
}

/**
 * Memory of a rank, and what the planner finds without a schedule; each worked out when it is first asked for.
 *
 * @param measured whether lengths are known
 */
export function rankFacts(
  spec: Spec,
  origins: Origins,
  inputs: PlanInputs,
  measured: boolean,
): Pick<InputFacts, "memory" | "problems"> {
  const setupOf = (change: MemoryChange = {}) => {
    const { longest, ...rest } = change;
    const known =
      longest === undefined
        ? inputs
        : { ...inputs, data: withLongest(longest), evaluation: undefined };
    return settledSetup(changed(spec, rest), origins, known);
  };
  let problems: readonly Diagnostic[] | undefined;
  return {
    memory: (change) => rankMemory(setupOf(change)),
    problems: () => {
      // What would help must hold for whatever the data has.
      problems ??= problemsOf(setupOf(measured ? {} : { longest: spec.data.max_length }));
      return problems;
    },
  };
}

function changed(spec: Spec, change: MemoryChange): Spec {
  const { context, zero, offload, checkpointing } = change;
  return {
    ...spec,
    model: { ...spec.model, ...(checkpointing === undefined ? {} : { checkpointing }) },
    parallel: {
      ...spec.parallel,
      ...(context === undefined ? {} : { context }),
      ...(zero === undefined ? {} : { zero }),
    },
    memory: { ...spec.memory, ...(offload === undefined ? {} : { offload }) },
  };
}

function settledSetup(spec: Spec, origins: Origins, inputs: PlanInputs): Setup {
  return setUp(settleForMemory(spec, origins, inputs), origins, inputs);
}

/** `context = auto` becomes the smallest degree at which everything fits; an open reduction, the one of less memory. */
export function settleForMemory(spec: Spec, origins: Origins, inputs: PlanInputs): SettledSpec {
  const { context, reduction: asked } = spec.parallel;
  const reduction = asked === "once" ? "once" : "every-micro-batch";
  const settled = (degree: number): SettledSpec => ({
    ...spec,
    parallel: { ...spec.parallel, context: degree, reduction },
  });
  if (context !== "auto") return settled(context);
  const degrees = contextsOf(
    spec,
    Math.max(inputs.data.summary.longest, spec.data.max_length),
    inputs.dimensions.shape,
  );
  const fits = (degree: number) => rankMemory(setUp(settled(degree), origins, inputs)).fits;
  return settled(degrees.find(fits) ?? degrees.at(-1) ?? 1);
}
