import { VERSIONS } from "../foundation/versions.generated.js";

type Package = keyof typeof VERSIONS.packages;

/** What pip is asked for of each package: the versions that runs were tried with. */
export const RANGES: Readonly<Record<Package, string>> = {
  torch: rangeOf("torch"),
  deepspeed: rangeOf("deepspeed"),
  transformers: rangeOf("transformers"),
};

function rangeOf(name: Package): string {
  const { oldest, below } = VERSIONS.packages[name];
  return `>=${oldest},<${below}`;
}
