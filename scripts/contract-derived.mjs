// What follows from the tables of contract/ that declare more than words: formats with their columns, and learning rates with
// their parameters.

/** Words and types that a table declares. */
export const formatWords = ({ formats }) => [
  "Format",
  { description: "Layouts of a row of data.", enum: Object.keys(formats) },
];

export const learningRateWords = ({ schedules }) => [
  "LearningRateKind",
  {
    description: "What the learning rate does after its warm-up.",
    enum: Object.keys(schedules),
  },
];

const isWhole = ({ type }) => type.kind === "integer";

/** What a run is told of its learning rate: shares of all steps in steps, everything else as it is. */
export function learningRateSchema({ parameters }) {
  const properties = {};
  for (const [name, { in_steps: steps, ...own }] of Object.entries(parameters)) {
    const type = steps || isWhole(own) ? "integer" : "number";
    properties[steps ?? name] ??= {
      type,
      minimum: 0,
      default: 0,
      description: steps ? `${name} in steps.` : own.doc,
    };
  }
  return {
    description: "The learning rate over the run, as shares of its peak.",
    type: "object",
    additionalProperties: false,
    required: ["type"],
    properties: {
      type: { $ref: "vocabularies.schema.json#/definitions/LearningRateKind" },
      ...properties,
    },
  };
}

const constant = (doc, name, value) =>
  `/** ${doc} */\nexport const ${name} = ${JSON.stringify(value, null, 2)} as const;\n`;

/** Of every format, the columns that a spec may name. */
export function formatColumns({ formats }) {
  const named = (columns) =>
    Object.entries(columns).flatMap(([name, { doc }]) => (doc ? [[name, doc]] : []));
  const docs = Object.entries(formats).map(([name, columns]) => [
    name,
    Object.fromEntries(named(columns)),
  ]);
  const doc = "Of every format, its columns and what they hold.";
  return constant(doc, "FORMAT_COLUMNS", Object.fromEntries(docs));
}

/** The part of the language that learning rates are, and how a plan has them. */
export function learningRates({ parameters, schedules }) {
  const property = ({ in_steps: _, ...own }) => own;
  const variants = Object.entries(schedules).map(([name, keys]) => [
    name,
    Object.fromEntries(keys.map((key) => [key, property(parameters[key])])),
  ]);
  const entries = Object.entries(parameters);
  const inSteps = entries.flatMap(([name, { in_steps: steps }]) => (steps ? [[name, steps]] : []));
  const none = entries.map(([name, { in_steps: steps }]) => [steps ?? name, 0]);
  return [
    constant("Parameters of every schedule.", "LEARNING_RATES", Object.fromEntries(variants)),
    constant(
      "Shares of all steps, and the run's key that has them in steps.",
      "IN_STEPS",
      Object.fromEntries(inSteps),
    ),
    constant(
      "Of a run, where its schedule has no such parameter.",
      "NO_PARAMETERS",
      Object.fromEntries(none),
    ),
  ].join("\n");
}

/** The exit codes of `skrull`. */
export function commandCodes({ command }) {
  const lines = Object.entries(command).map(
    ([name, { value, doc }]) => `  /** ${doc} */\n  ${name}: ${value},\n`,
  );
  return `/** Exit codes of the command line. */\nexport const EXIT = {\n${lines.join("")}} as const;\n`;
}

/** Constants of Python, each after what it is. */
export const pythonConstants = (declared) =>
  Object.entries(declared)
    .map(([name, { value, doc }]) => `# ${doc}\n${name} = ${spaced(JSON.stringify(value))}\n`)
    .join("\n");

/** As ruff writes lists. */
const spaced = (json) => json.replaceAll(",", ", ");
