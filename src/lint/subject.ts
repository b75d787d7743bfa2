import type { ModelDimensions } from "../catalogue/dimensions.js";
import type { Gpu } from "../catalogue/gpu.js";
import type { ConfigProblem } from "../catalogue/refusals.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { WeightProblems } from "../inputs/weights/match-weights.js";
import type { Spec } from "../language/language.js";
import type { PreparedData } from "../lengths/prepare-data.js";
import type { RankMemory } from "../plan/fit.js";
import type { SourceDocument } from "../semantics/document.js";
import type { Origins } from "../semantics/report.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { Level } from "./level.js";

/** A text that diagnostics may point into. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** A file, one of its specs and what is known around that. Whatever is missing was not asked for, or cannot be known. */
export interface LintSubject extends Source {
  /** The file itself, then what it imports. */
  readonly documents: readonly Source[];
  readonly names?: NameFacts | undefined;
  readonly spec?: Spec | undefined;
  readonly origins?: Origins | undefined;
  readonly model?: ModelFacts | undefined;
  readonly inputs?: InputFacts | undefined;
  readonly lengths?: LengthFacts | undefined;
  readonly plan?: PlanFacts | undefined;
}

/** What a file without errors declares and uses; unknown of libraries, whose names are for others. */
export interface NameFacts {
  readonly document: SourceDocument;
  /** The file itself, then what it imports. */
  readonly documents: readonly SourceDocument[];
  readonly symbols: readonly SymbolUse[];
}

/** A model configuration that could be read, whether or not it can be trained. */
export interface ModelFacts {
  readonly problems: readonly ConfigProblem[];
  /** Its type, where only the model itself can tell its dimensions and has not been asked yet; else `undefined`. */
  readonly undescribed: string | undefined;
  /** Its type, where no model of its kind has been tested; else `undefined`. */
  readonly unchecked: string | undefined;
}

/** The model and the machines, from the catalogue and small files. */
export interface InputFacts {
  readonly dimensions: ModelDimensions;
  /** The Hugging Face configuration as it was read. */
  readonly modelConfig: unknown;
  readonly gpu: Gpu;
  /** What a profile was measured on, if the spec names one. */
  readonly profile: { readonly gpu: string; readonly precision: string } | undefined;
  /** Memory of a rank under the spec with some values changed; degree and reduction settled for the least memory. */
  memory(change?: MemoryChange): RankMemory;
  /** What the planner finds wrong with memory and dimensions, for the longest sequence known. */
  problems(): readonly Diagnostic[];
  /** Runs of this spec that were compiled near it and have a checkpoint. */
  readonly checkpoints: readonly CheckpointFacts[];
  /** Of the folder of pretrained weights, if the spec names one. */
  readonly weights: WeightFacts | undefined;
  /** Data files whose counts in the cache are of an earlier content. */
  readonly stale: readonly { readonly key: DataKey; readonly file: string }[];
}

/** What was found of weights without reading them. */
export type WeightFacts =
  | { readonly state: "missing"; readonly what: string }
  | { readonly state: "unreadable"; readonly file: string; readonly problem: string }
  | { readonly state: "stored"; readonly problems: WeightProblems };

export type DataKey = "data.train" | "evaluate.data";

export interface MemoryChange {
  readonly context?: number;
  readonly zero?: 0 | 1 | 2 | 3;
  readonly offload?: Spec["memory"]["offload"];
  readonly checkpointing?: Spec["model"]["checkpointing"];
  readonly longest?: number;
}

export interface CheckpointFacts {
  /** Relative to the spec's folder. */
  readonly folder: string;
  readonly ranks: number;
}

/** Measured lengths, from the cache. */
export interface LengthFacts {
  readonly train: PreparedData;
  /** `undefined` where there is none, or it has not been measured. */
  readonly evaluation: PreparedData | undefined;
  /** Tokens of the longest sequence, held-out ones too. */
  readonly longest: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Sequences of an epoch's last global batch. */
  readonly lastBatch: number;
}

/** Schedules of the run's first global batches. */
export interface PlanFacts {
  /** Context-parallel degrees that these ranks can have, ascending. */
  readonly degrees: readonly number[];
  /** Predicted tokens per second at a degree; `undefined` where there is no schedule. */
  speed(context: number): number | undefined;
}

interface KnownNames {
  readonly names: NameFacts;
}
interface KnownSpec extends KnownNames {
  readonly spec: Spec;
  readonly origins: Origins;
}
interface KnownModel extends KnownSpec {
  readonly model: ModelFacts;
}
interface KnownInputs extends KnownModel {
  readonly inputs: InputFacts;
}
interface KnownLengths extends KnownInputs {
  readonly lengths: LengthFacts;
}
interface KnownPlan extends KnownLengths {
  readonly plan: PlanFacts;
}

interface Known {
  readonly text: unknown;
  readonly names: KnownNames;
  readonly spec: KnownSpec;
  readonly model: KnownModel;
  readonly inputs: KnownInputs;
  readonly lengths: KnownLengths;
  readonly plan: KnownPlan;
}

/** A subject of which at least a level is known. */
export type SubjectWith<Needs extends Level> = LintSubject & Known[Needs];

/** A sound spec with its file. */
export type SpecSubject = SubjectWith<"spec">;
