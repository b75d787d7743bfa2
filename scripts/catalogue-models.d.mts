/** A model of catalogue/models, with what it has of the model that it is like. */
export interface CatalogueEntry {
  readonly name: string;
  readonly source: string;
  readonly checked?: readonly string[];
  readonly end_tokens?: string;
  readonly published?: { readonly parameters: number | string; readonly source: string };
  readonly parameters: number;
  readonly config: Readonly<Record<string, unknown>>;
}

export function catalogueModels(): readonly CatalogueEntry[];
