/** Starters of `skrull init`, folders of `templates/init`, and what each is for. */
export const TEMPLATES = {
  cpu: "a tiny model on two CPU processes: trains anywhere",
  "one-node": "full fine-tuning on one node of eight GPUs",
  nodes: "full fine-tuning on several nodes",
  lora: "low-rank adapters on one node",
  "long-context": "samples of up to 128K tokens over several nodes",
} as const;

export type TemplateName = keyof typeof TEMPLATES;

export const DEFAULT_TEMPLATE: TemplateName = "one-node";

/** Folder of what every template writes. */
export const SHARED_FILES = "shared";
