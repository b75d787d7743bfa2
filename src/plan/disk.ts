import { checkpointBytes, exportBytes } from "../cost/checkpoint.js";
import { fitProblem } from "./fit.js";
import type { DiskPlan } from "./plan.js";
import type { Setup } from "./setup.js";
import { stageOfDeepSpeed } from "./stages.js";
import type { StepCount } from "./steps.js";

/** What a run writes to disk: its checkpoints, and the exported model. */
export function diskPlan(setup: Setup, { total_steps: steps }: StepCount): DiskPlan {
  const { setting } = fitProblem(setup);
  const { train, lora } = setup.spec;
  const stage = stageOfDeepSpeed(setting);
  const { weights, frozen, optimizer } = checkpointBytes({
    ...setting,
    stage,
    device: setup.topology.device,
  });
  const checkpoint = weights + frozen + optimizer;
  const written = timesEvery(train.checkpoint_every, steps);
  // The oldest is removed once the newest is whole.
  const held = Math.min(written, train.keep_checkpoints + 1);
  const exported = train.export ? exportBytes({ ...setting, stage, merge: lora.merge }) : 0;
  return {
    checkpoint_bytes: checkpoint,
    checkpoints_written: written,
    checkpoints_held: held,
    export_bytes: exported,
    peak_bytes: held * checkpoint + exported,
  };
}

/** How often what is done every so many steps, and after the last, is done; 0 stands for the last alone. */
export function timesEvery(every: number, steps: number): number {
  return every === 0 ? 1 : Math.ceil(steps / every);
}
