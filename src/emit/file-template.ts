import Handlebars from "handlebars";
import { pythonLiteral, shellWord } from "./quote.js";

/**
 * Fills the template of an emitted file. Values enter Python only through `{{py value}}` and shell only through `{{sh value}}`,
 * which quote them; HTML escaping, which would break both, is off.
 *
 * @throws Error where the template names a value that is missing: our fault, never the user's
 */
export function fillFileTemplate(
  source: string,
  values: Readonly<Record<string, unknown>>,
): string {
  const environment = Handlebars.create();
  environment.registerHelper("py", (value: unknown, options: Handlebars.HelperOptions) =>
    pythonLiteral(value, Number(options.hash["indent"] ?? 0)),
  );
  environment.registerHelper("sh", (value: unknown) => shellWord(String(value)));
  const fill = environment.compile(source, {
    noEscape: true,
    strict: true,
    knownHelpersOnly: true,
    knownHelpers: { py: true, sh: true },
  });
  return fill(values);
}
