import { basename } from "pathe";
import type { Host } from "../../host/host.js";
import { LEVELS, type Level } from "../level.js";
import type { LintSubject, ModelFacts, SpecSubject } from "../subject.js";
import { findCheckpoints } from "./checkpoints.js";
import { knownLengths, lengthFacts } from "./lengths.js";
import { loadMachine, loadModel, type Model } from "./machine.js";
import { planInputs, rankFacts } from "./memory.js";
import { planFacts } from "./schedules.js";
import { weightFacts } from "./weights.js";

function modelFacts({ config, read, check }: Model): ModelFacts {
  const type = String((config as { readonly model_type?: unknown } | null)?.model_type);
  const unchecked = check === "unchecked" ? type : undefined;
  if (read.ok) return { problems: [], undescribed: undefined, unchecked };
  if (!read.undescribed)
    return { problems: read.problems, undescribed: undefined, unchecked: undefined };
  return { problems: [], undescribed: type, unchecked };
}

/** What is known around a spec; nothing where its model cannot be read, and little where that cannot be trained. */
export async function loadFacts(
  host: Host,
  folder: string,
  { file, spec, origins }: SpecSubject,
  level: Level,
): Promise<Pick<LintSubject, "model" | "inputs" | "lengths" | "plan">> {
  const read = loadModel(host, folder, spec);
  if (!read) return {};
  const model = modelFacts(read);
  const machine = await loadMachine(host, folder, spec, read);
  if (!machine) return { model };
  const known = await knownLengths(host, folder, spec);
  const wants = (other: Level) => LEVELS.indexOf(level) >= LEVELS.indexOf(other);
  const lengths = wants("lengths") ? lengthFacts(spec, known) : undefined;
  const material = planInputs(machine, lengths);
  const { dimensions, modelConfig, gpu, profile } = machine;
  const inputs = {
    dimensions,
    modelConfig,
    gpu,
    profile,
    checkpoints: findCheckpoints(host, folder, basename(file), spec),
    weights: weightFacts(host, folder, spec, machine),
    stale: known.stale,
    ...rankFacts(spec, origins, material, lengths !== undefined),
  };
  const fits = lengths && inputs.memory().fits;
  const plan = fits && wants("plan") ? planFacts(spec, origins, material) : undefined;
  return { model, inputs, lengths, plan };
}
