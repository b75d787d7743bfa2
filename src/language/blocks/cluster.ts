import { GPU_NAMES, gpusMeant } from "../../catalogue/names.js";
import { aboveZero, bytes, copiedPath, integer, number, oneOf, upTo } from "../kinds.js";
import type { Block } from "../types.js";

export const cluster = {
  doc: "The machines of the run.",
  since: 1,
  required: "The number of ranks decides every degree of parallelism.",
  properties: {
    nodes: {
      type: integer(upTo(65536, 1)),
      doc: "Machines. All nodes together have at most 65,536 GPUs.",
      since: 1,
      default: 1,
    },
    gpus: {
      type: integer(upTo(1024, 1)),
      doc: "GPUs per node, one rank each.",
      since: 1,
      required: "The number of ranks follows from it.",
    },
    gpu: {
      type: { kind: "enumeration", values: GPU_NAMES, declared: "gpu_model", meant: gpusMeant },
      doc: "Kind of GPU: one from the catalogue or your own `gpu_model`; `cpu` for runs without a GPU.",
      since: 1,
      required: "Its memory and speed decide the plan.",
    },
    host_memory: {
      type: { ...bytes, range: { ...bytes.range, ...aboveZero } },
      doc: "Memory (RAM) of a node. What the ranks of a node keep there must fit: offloaded states, the weights that each loads, or the ranks themselves on CPU.",
      since: 1,
      optional: "not checked",
    },
    gpu_hour: {
      type: number(upTo(1e6)),
      doc: "Price of a GPU-hour, a number in a currency of your own: `plan`, `compare` and `tune` then give costs. It changes nothing of the run.",
      since: 1,
      optional: "no costs are given",
    },
    network: {
      type: { kind: "quantity", dimension: "bandwidth", range: aboveZero },
      doc: "Bandwidth between nodes, per GPU.",
      since: 1,
      default: 50e9,
    },
    profile: {
      type: copiedPath,
      doc: "A profile (JSON) measured on these machines; its figures override the catalogue's.",
      since: 1,
      optional: "the catalogue's figures",
    },
    deepspeed: {
      type: { kind: "string" },
      doc: 'Version of DeepSpeed on the machines, such as "0.19.8"; the run\'s requirements then ask for exactly that version.',
      since: 1,
      optional: "any version that runs were tested with",
    },
    launcher: {
      type: oneOf("deepspeed", "torchrun"),
      doc: "What `launch.sh` starts the ranks of a node with.",
      since: 1,
      default: "deepspeed",
    },
    timeout: {
      type: { kind: "quantity", dimension: "time", range: { min: 1, max: 7 * 24 * 3600 } },
      doc: "How long ranks wait for each other in a collective operation before the run ends with an error.",
      since: 1,
      default: 30 * 60,
    },
    hosts: {
      type: { kind: "list", item: { kind: "string" } },
      doc: "Host names of the nodes: `launch.sh` then starts every node over ssh. Without them, each node is started separately, with `NODE_RANK` or by a job scheduler.",
      since: 1,
      default: [] as readonly string[],
    },
  },
} as const satisfies Block;
