import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import {
  dataConfig,
  modelConfig,
  schedulingConfig,
  trainConfig,
} from "../../src/emit/run-values.js";
import { planOf } from "../plan/make.js";

/** As the runtime has it, which refuses keys that it does not know. */
const path = new URL("../../python/skrull_runtime/contract/run.schema.json", import.meta.url);
const schema = JSON.parse(readFileSync(path, "utf8"));
const ajv = new Ajv({ allErrors: true, strict: false }).addSchema(schema, "run");

/** What is wrong with a record of a run. */
function faults(name: string, record: unknown) {
  const validate = ajv.getSchema(`run#/definitions/${name}`);
  if (!validate) throw new Error(`the contract has no ${name}`);
  validate(JSON.parse(JSON.stringify(record)));
  return validate.errors ?? [];
}

const GPUS = { cluster: "{ gpus = 8 gpu = h100_sxm_80gb }", memory: "{ }" };
const QWEN = '"Qwen/Qwen2.5-0.5B"';

describe("what a run is told", () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ["on CPU", {}],
    ["on GPUs", { ...GPUS, model: `${QWEN} { weights = random }`, parallel: "{ zero = 3 }" }],
    ["with adapters", { ...GPUS, model: `${QWEN} { weights = random }`, lora: "{ rank = 8 }" }],
  ])("%s is as the contract has it", async (_, parts) => {
    const { plan, diagnostics } = await planOf(parts);
    if (!plan) throw new Error(diagnostics.map(({ message }) => message).join());
    expect(faults("ModelConfig", modelConfig(plan))).toEqual([]);
    expect(faults("DataConfig", dataConfig(plan, null))).toEqual([]);
    expect(faults("TrainConfig", trainConfig(plan))).toEqual([]);
    expect(faults("SchedulingConfig", schedulingConfig(plan))).toEqual([]);
    const more = { ...schedulingConfig(plan), unknown: 1 };
    expect(faults("SchedulingConfig", more)).not.toEqual([]);
  });
});
