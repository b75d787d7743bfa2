import { HOST } from "./data.generated.js";
import type { HostFigure, HostFigureName } from "./host-figure.js";

/** The value of a figure. */
export const hostFigure = (name: HostFigureName): number => HOST[name].value;

/** Names of all figures, as the catalogue has them in order. */
export const HOST_FIGURES = Object.entries(HOST) as readonly (readonly [
  HostFigureName,
  HostFigure,
])[];
