/** A model of the catalogue: its name on the hub and its Hugging Face configuration. */
export interface CatalogueModel {
  readonly name: string;
  /** Where its configuration can be read. */
  readonly source: string;
  /** Of the model that transformers makes of the configuration. */
  readonly parameters: number;
  /** Positions that YaRN stretches by the model's documented recipe, where its configuration has others. */
  readonly yarn_original?: number;
  /** How the published weights are quantised, where there are no others: they cannot be trained as they are. */
  readonly quantised?: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Which configurations a documented recipe of YaRN is about. */
export interface StretchedModel {
  readonly type: string;
  readonly positions: number;
  /** The base frequency. */
  readonly theta: number;
  readonly original: number;
}
