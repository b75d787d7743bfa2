import type { Related } from "../diagnostics/diagnostic.js";
import { suggestion } from "../diagnostics/suggestion.js";
import type { BlockNode, NameNode } from "../syntax/tree.js";
import { otherWord } from "./fixes.js";
import type { Report } from "./report.js";
import type { Declared, Scope } from "./scope.js";

/** What a block is made of: each layer overrides the ones before it, key by key. */
export type Layer = Declared<BlockNode>;

export interface Stack {
  readonly layers: readonly Layer[];
  /** One that it extends is not there: what seems to be missing may have come from it. */
  readonly incomplete: boolean;
}

/** Of blocks that extend each other, or constants that use each other. */
export const LONGEST_CHAIN = 64;

/** A block with everything that it extends, from the ground up; what is unknown or circular is reported. */
export function withBases(layer: Layer, scope: Scope, report: Report): Stack {
  const layers: Layer[] = [layer];
  let incomplete = false;
  const names: string[] = layer.node.given ? [layer.node.given.text] : [];
  for (let top = layer; top.node.base; ) {
    const { base, name: kind } = top.node;
    const own = report.in(top.document);
    const found = findBlock(kind.text, base, scope, own);
    if (!found) {
      incomplete = true;
      break;
    }
    if (names.includes(base.text)) {
      const path = [...names.slice(names.indexOf(base.text)), base.text].join(" → ");
      own.at("circular-definition", { what: kind.text, path }, base);
      incomplete = true;
      break;
    }
    if (layers.length > LONGEST_CHAIN) {
      own.at("chain-too-long", { what: kind.text, name: base.text, limit: LONGEST_CHAIN }, base);
      incomplete = true;
      break;
    }
    names.push(base.text);
    layers.unshift(found);
    top = found;
  }
  return { layers, incomplete };
}

/** The named block that `name` refers to; reported where there is none. */
export function findBlock(
  kind: string,
  name: NameNode,
  scope: Scope,
  report: Report,
): Layer | undefined {
  const found = scope.block(kind, name.text);
  if (found) {
    scope.useBlock(kind, name.text, report.place(name));
    return found;
  }
  if (scope.broken || report.findings.full) {
    report.findings.spoil();
    return undefined;
  }
  const others = scope.othersCalled(name.text);
  const declare = `Declare it, or import the file that does: ${kind} ${name.text} { ... }`;
  report.at("unknown-name", { what: kind, name: name.text }, name, {
    ...suggestion(name.text, scope.blockNames(kind), ofOtherKind(kind, others) ?? declare, (near) =>
      otherWord(name, near, report),
    ),
    ...(others.length > 0 ? { related: others.map((one) => declaredThere(one, report)) } : {}),
  });
  return undefined;
}

/** A block is made of, and a reference leads to, blocks of its own kind. */
function ofOtherKind(kind: string, others: readonly Layer[]): string | undefined {
  const kinds = others.map(({ node }) => node.name.text).join(", ");
  return others.length === 0
    ? undefined
    : `That name is a ${kinds}; only a ${kind} is allowed here.`;
}

function declaredThere({ node, document }: Layer, report: Report): Related {
  const place = report.in(document).place(node.given ?? node.name);
  return { message: `this ${node.name.text} has that name`, ...place };
}
