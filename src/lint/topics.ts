/** What rules are about, in the order that they are shown. A rule lies in `rules/`, in the folder of its topic. */
export const TOPICS = {
  text: "The spec's text",
  data: "Data",
  model: "Model and weights",
  adapters: "Adapters",
  training: "Training",
  memory: "Memory",
  machines: "Machines and parallelism",
} as const;

export type Topic = keyof typeof TOPICS;
