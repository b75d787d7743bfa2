/** A model of the catalogue: its name on the hub and its Hugging Face configuration. */
export interface CatalogueModel {
  readonly name: string;
  readonly source: string;
  /** As published; a test compares it with what the configuration gives. */
  readonly parameters: number;
  /** Positions that YaRN stretches by the model's documented recipe, where its configuration has others. */
  readonly yarn_original?: number;
  readonly config: Readonly<Record<string, unknown>>;
}
