import type { EXIT } from "./exit-code.generated.js";

export { EXIT } from "./exit-code.generated.js";

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
