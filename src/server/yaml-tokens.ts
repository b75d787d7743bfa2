import { RUN } from "../semantics/scope.js";
import type {
  BlockNode,
  BodyNode,
  EntryNode,
  FileNode,
  NameNode,
  Span,
  ValueNode,
} from "../syntax/tree.js";
import { blockScope, fileScope, runScope, type Scope, variantScope } from "./scopes.js";
import type { TokenKind } from "./tokens.js";
import type { PlacedToken, Role } from "./walk.js";

/** The keys and scalars of a spec in YAML or JSON, with the roles that they have in the language's own form. */
export function placeTree(tree: FileNode): readonly PlacedToken[] {
  const placer = new Placer();
  const file = fileScope();
  const { version } = tree;
  if (version) placer.add("name", "skrull", version.keyword, { role: "skrull", scope: file });
  for (const { path } of tree.imports)
    placer.add("string", path.value, path, { role: "import-path", scope: file });
  for (const { name, value } of tree.constants) {
    placer.add("name", name.text, name, { role: "constant", scope: file, key: name.text });
    placer.value(value, file, name.text);
  }
  placer.members(tree, file);
  return placer.placed;
}

interface Place {
  readonly role: Role;
  readonly scope: Scope;
  readonly key?: string;
  readonly header?: string;
}

class Placer {
  readonly placed: PlacedToken[] = [];

  add(kind: TokenKind, text: string, { start, end }: Span, place: Place): void {
    this.placed.push({ kind, text, start, end, ...place });
  }

  members({ blocks, entries }: BodyNode, scope: Scope): void {
    for (const block of blocks) this.#block(block, scope);
    for (const entry of entries) this.#entry(entry, scope);
  }

  value(value: ValueNode | undefined, scope: Scope, key: string): void {
    switch (value?.kind) {
      case "list":
        for (const item of value.items) this.value(item, scope, key);
        break;
      case "tagged":
        this.#name(value.tag, { role: "word", scope, key });
        this.members(value.body, variantScope(scope, key, value.tag.text));
        break;
      case "scalar":
        this.add("name", value.text, value, { role: "word", scope, key });
    }
  }

  #name(node: NameNode, place: Place): void {
    this.add("name", node.text, node, place);
  }

  #block({ name, given, label, base, body }: BlockNode, parent: Scope): void {
    const header = name.text;
    const isRun = header === RUN;
    const scope = isRun ? runScope(parent, given?.text) : blockScope(parent, header, given?.text);
    if (!isRun) this.#name(name, { role: "block", scope: parent, header });
    if (given)
      this.#name(given, { role: isRun ? "run-name" : "block-name", scope: parent, header });
    if (label) this.add("string", `"${label.value}"`, label, { role: "label", scope: parent });
    if (base) this.#name(base, { role: "base", scope: parent, header });
    this.members(body, scope);
  }

  #entry({ key, value }: EntryNode, scope: Scope): void {
    this.#name(key, { role: "key", scope, key: key.text });
    this.value(value, scope, key.text);
  }
}
