import type { Spec } from "../../../language/language.js";
import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

interface Ineffective {
  readonly path: string;
  readonly where: string;
  readonly reason: string;
  readonly holds: (spec: Spec) => boolean;
}

const ONLINE = {
  where: "with mode = online",
  reason: "Online, every step is scheduled while the one before it trains, without refinement.",
  holds: ({ schedule }: Spec) => schedule.mode === "online",
};
const NO_ADAPTERS = {
  where: "with rank = 0",
  reason: "At rank 0 the whole model is trained, without adapters.",
  holds: ({ lora }: Spec) => lora.rank === 0,
};

const KEYS: readonly Ineffective[] = [
  { path: "schedule.iterations", ...ONLINE },
  { path: "schedule.strict", ...ONLINE },
  { path: "lora.alpha", ...NO_ADAPTERS },
  { path: "lora.dropout", ...NO_ADAPTERS },
  { path: "lora.targets", ...NO_ADAPTERS },
  { path: "lora.adapter", ...NO_ADAPTERS },
  { path: "lora.merge", ...NO_ADAPTERS },
  { path: "lora.base", ...NO_ADAPTERS },
  { path: "lora.double_quantisation", ...NO_ADAPTERS },
  { path: "lora.rslora", ...NO_ADAPTERS },
  { path: "lora.modules_to_save", ...NO_ADAPTERS },
  { path: "lora.dora", ...NO_ADAPTERS },
  {
    path: "schedule.degrees",
    where: "with context = 1",
    reason: "No sequence is shared, so every group is one rank.",
    holds: ({ schedule, parallel }) => schedule.degrees !== "pool" && parallel.context === 1,
  },
  {
    path: "cluster.hosts",
    where: "on one node",
    reason: "`launch.sh` starts the ranks of one node on the machine that it runs on.",
    holds: ({ cluster }) => cluster.nodes === 1,
  },
  {
    path: "cluster.network",
    where: "on one node",
    reason: "Nothing leaves the node.",
    holds: ({ cluster }) => cluster.nodes === 1,
  },
  {
    path: "evaluate.every",
    where: "without evaluate.data or share",
    reason: "There is nothing to evaluate on.",
    holds: ({ evaluate }) => evaluate.data.length === 0 && evaluate.share === 0,
  },
  {
    path: "model.revision",
    where: "with path",
    reason: "The weights come from a folder, which has one revision.",
    holds: ({ model }) => model.path !== undefined,
  },
  {
    path: "parallel.reduction",
    where: "below ZeRO 2",
    reason: "ZeRO 0 and 1 reduce gradients once per step anyway.",
    holds: ({ parallel }) => parallel.zero < 2,
  },
];

export default defineRule({
  code: "key-without-effect",
  needs: "spec",
  ofEveryRun: true,
  check(subject, report) {
    for (const { path, where, reason, holds } of KEYS) {
      if (!subject.origins.has(path) || !holds(subject.spec)) continue;
      // An imported file is also for specs in which it has one.
      if (subject.origins.place(path).file !== subject.file) continue;
      const name = path.split(".")[1] ?? path;
      report.at(path, { name, where, reason }, removeKey(subject, path));
    }
  },
});
