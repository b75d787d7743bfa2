import {
  DEGREE_CLASS_WORDS,
  OBJECTIVE_WORDS,
  POLICY_WORDS,
  SCHEDULE_MODE_WORDS,
} from "../../foundation/vocabularies.generated.js";
import { integer, oneOf, upTo } from "../kinds.js";
import type { Block } from "../types.js";

export const schedule = {
  doc: "How global batches are scheduled.",
  since: 1,
  required: "The global batch is the scope of scheduling.",
  properties: {
    global_batch: {
      type: integer(upTo(2 ** 20, 1)),
      doc: "Sequences per optimizer step, over all ranks.",
      since: 1,
      required: "It decides what the optimizer sees.",
    },
    policy: {
      type: oneOf(...POLICY_WORDS),
      doc: "Scheduling policy. `auto` builds its own schedule, never slower than `deepspeed`, `packed` and `sorted`; the others are there for comparison, and `skrull-paper`, `round-robin` and `dacp` are always `planned`. `docs/policies.md` says what each does.",
      since: 1,
      default: "auto",
    },
    degrees: {
      type: oneOf(...DEGREE_CLASS_WORDS),
      doc: "Sizes of the groups that share a sequence: one rank or the whole context-parallel group; powers of two inside it; powers of two over all ranks.",
      since: 1,
      default: "local-or-all",
    },
    mode: {
      type: oneOf(...SCHEDULE_MODE_WORDS),
      doc: "`online` schedules each step ahead of time while training. `planned` schedules every step of the run when compiling, with refinement, and replays the result.",
      since: 1,
      default: "online",
    },
    iterations: {
      type: integer(upTo(1e9)),
      doc: "Moves of the search for each global batch in planned mode; some 2,000 take a millisecond.",
      since: 1,
      default: 100_000,
    },
    strict: {
      type: { kind: "boolean" },
      doc: "In planned mode: refuse to train if the planned schedules do not match the data or the ranks, instead of scheduling online.",
      since: 1,
      default: false,
    },
    cost: {
      type: oneOf("exact", "skrull-paper"),
      doc: "Work of a sequence: from the model's exact dimensions, or from the generic layer of arXiv:2505.19609 (Eq. 13), to reproduce its results.",
      since: 1,
      default: "exact",
    },
    objective: {
      type: oneOf("auto", ...OBJECTIVE_WORDS),
      doc: "Time to minimise: the slowest rank's sum (`free`), or with every micro-batch in step (`lockstep`, what ZeRO 2 and 3 do). `auto` follows the ZeRO stage.",
      since: 1,
      default: "auto",
    },
  },
} as const satisfies Block;
