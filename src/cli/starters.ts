/** Starters of `skrull init`, folders of `templates/init`, and what each is for. */
export const STARTERS = {
  cpu: "a tiny model on two CPU processes: trains anywhere",
  "one-node": "full fine-tuning on one node of eight GPUs",
  nodes: "full fine-tuning on several nodes",
  lora: "low-rank adapters on one node",
  "long-context": "samples of up to 128K tokens over several nodes",
} as const;

export type StarterName = keyof typeof STARTERS;

export const DEFAULT_STARTER: StarterName = "one-node";

/** Folder of what every starter writes. */
export const SHARED_FILES = "shared";
