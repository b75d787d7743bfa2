import { formatBytes, formatCount, formatDuration } from "../foundation/format.js";
import type { FinishPart, Plan } from "../plan/plan.js";

const PARTS: Readonly<Record<FinishPart["id"], string>> = {
  steps: "steps",
  evaluations: "evaluations",
  launch: "launch, up to the process group",
  communicators: "communicators",
  weights: "weights",
  "first-batches": "pre-flight, first batches",
  checkpoints: "checkpoints",
  export: "export",
};

/** Each part of the time to finish. */
export function finishRows({ finish }: Plan): readonly (readonly string[])[] {
  return [
    ...finish.parts.map(({ id, count, each_seconds: each, seconds }) => [
      PARTS[id],
      count === 1 ? "" : `${formatCount(count)} x ${formatDuration(each)}`,
      formatDuration(seconds),
    ]),
    ["in all", "", formatDuration(finish.seconds)],
  ];
}

/** What the run writes. */
export function diskRows({ disk, training }: Plan): readonly (readonly string[])[] {
  const { checkpoint_bytes: each, checkpoints_held: held, export_bytes: exported } = disk;
  const writing = held > training.keep_checkpoints ? ", one being written" : "";
  return [
    ["a checkpoint", formatBytes(each)],
    [`checkpoints at a time: ${formatCount(held)}${writing}`, formatBytes(held * each)],
    ...(exported > 0 ? [["exported model", formatBytes(exported)]] : []),
    ["in all", formatBytes(disk.peak_bytes)],
  ];
}
