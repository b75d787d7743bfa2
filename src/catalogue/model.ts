/** A model of the catalogue: its name on the hub and its Hugging Face configuration. */
export interface CatalogueModel {
  readonly name: string;
  readonly source: string;
  /** As published; a test compares it with what the configuration gives. */
  readonly parameters: number;
  readonly config: Readonly<Record<string, unknown>>;
}
