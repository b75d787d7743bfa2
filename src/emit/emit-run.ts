import { jsonText } from "../foundation/json.js";
import type { SampleIndex } from "../lengths/prepare-data.js";
import type { Plan } from "../plan/plan.js";
import { deepspeedConfig, deepspeedConfigProblems } from "./deepspeed-config.js";
import type { EmittedFile } from "./emitted-file.js";
import { fillFileTemplate } from "./file-template.js";
import { type PlannedSchedules, packSchedules, SCHEDULES_FILE } from "./planned-schedules.js";
import {
  dataConfig,
  launchValues,
  modelConfig,
  requirements,
  schedulingConfig,
  trainConfig,
} from "./run-values.js";
import { indexFiles } from "./sample-index.js";

/** Files that are made of a template each. */
export const TEMPLATED_FILES = [
  { path: "sampler.py" },
  { path: "train.py" },
  { path: "launch.sh", executable: true },
  { path: "requirements.txt" },
] as const satisfies readonly Omit<EmittedFile, "content">[];

/** Their templates by path. */
export type FileTemplates = Readonly<Record<(typeof TEMPLATED_FILES)[number]["path"], string>>;

export const TOKENIZER_FOLDER = "tokenizer";
export const RUNTIME_FOLDER = "skrull_runtime";

/** What a run consists of besides its plan; the caller has read it all. */
export interface RunMaterial {
  readonly plan: Plan;
  readonly index: SampleIndex;
  /** Held-out samples. */
  readonly evaluation?: SampleIndex | undefined;
  /** The spec's folder as seen from the run's folder; `null` where only an absolute path leads there. */
  readonly dataRoot: string | null;
  /** Hugging Face configuration of the model. */
  readonly modelConfig: unknown;
  /** File name to bytes. */
  readonly tokenizerFiles: Readonly<Record<string, Uint8Array>>;
  /** Path inside the runtime's package to its source. */
  readonly runtime: Readonly<Record<string, string>>;
  readonly fileTemplates: FileTemplates;
  readonly deepspeedSchema: object;
  readonly sha256: (bytes: Uint8Array | string) => string;
  /** Every step's schedule, in planned mode. */
  readonly planned?: PlannedSchedules | undefined;
}

/**
 * All files of a run except its manifest, sorted by path. Pure: the same material gives the same bytes.
 *
 * @throws Error where the DeepSpeed configuration breaks the schema: our fault, never the user's
 */
export function emitRun(material: RunMaterial): readonly EmittedFile[] {
  const { plan, fileTemplates } = material;
  const config = deepspeedConfig(plan);
  const problems = deepspeedConfigProblems(config, material.deepspeedSchema);
  if (problems.length > 0) throw new Error(`emitted ds_config.json: ${problems.join("; ")}`);
  const values = {
    version: plan.skrull_version,
    model: modelConfig(plan),
    data: dataConfig(plan, material.dataRoot),
    train: trainConfig(plan),
    scheduling: schedulingConfig(plan),
    ...launchValues(plan),
    ...requirements(plan),
    pyarrow: [material.index, material.evaluation].some(needsArrow),
  };
  const files: EmittedFile[] = [
    { path: "ds_config.json", content: jsonText(config) },
    { path: "plan.json", content: jsonText(plan) },
    { path: "config.json", content: jsonText(material.modelConfig) },
    ...indexFiles("data_index", material.index, material.sha256),
    ...(material.evaluation
      ? indexFiles("evaluation_index", material.evaluation, material.sha256)
      : []),
    ...TEMPLATED_FILES.map((file) => ({
      ...file,
      content: fillFileTemplate(fileTemplates[file.path], values),
    })),
    ...schedules(material),
    ...Object.entries(material.tokenizerFiles).map(([name, content]) => ({
      path: `${TOKENIZER_FOLDER}/${name}`,
      content,
    })),
    ...Object.entries(material.runtime).map(([name, content]) => ({
      path: `${RUNTIME_FOLDER}/${name}`,
      content,
    })),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a run that has to make tokens itself reads files that only pyarrow can. */
const needsArrow = (index: SampleIndex | undefined): boolean =>
  index?.files.some(({ path }) => !/\.(jsonl|ndjson|json|csv|tsv)(\.gz)?$/i.test(path)) ?? false;

function schedules({ plan, planned }: RunMaterial): EmittedFile[] {
  return planned ? [{ path: SCHEDULES_FILE, content: packSchedules(plan, planned) }] : [];
}
