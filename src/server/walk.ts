import { LANGUAGE } from "../language/language.js";
import type { Block, Property, ValueType } from "../language/types.js";
import {
  blockScope,
  constantScope,
  fileScope,
  runScope,
  type Scope,
  variantScope,
} from "./scopes.js";
import type { Token } from "./tokens.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** What a token is for, as far as it can be told without a sound tree. */
export type Role =
  | "comment"
  | "skrull"
  | "version"
  | "keyword"
  | "import-path"
  | "block"
  | "block-name"
  | "label"
  | "base"
  | "run-name"
  | "constant"
  | "key"
  | "word"
  | "string"
  | "number"
  | "unit"
  | "symbol";

/** A member that has begun: `key = 4`, `model qwen "..."`. */
export interface Member {
  readonly first: Token;
  /** `let`, `import`, `run`, a block's name, or a key. */
  readonly kind: "version" | "import" | "let" | "run" | "block" | "entry";
  /** The key, or the constant's name. */
  readonly key?: Token;
  readonly last: Token;
}

export interface PlacedToken extends Token {
  readonly role: Role;
  readonly scope: Scope;
  /** The key whose value this is, or which it is. */
  readonly key?: string;
  /** The word that its block's header begins with, `run` too; absent outside headers. */
  readonly header?: string;
}

/** Where a text stands after some of its tokens. */
export interface State {
  readonly scope: Scope;
  /** Absent where a new member may begin. */
  readonly member?: Member;
  /** Open square brackets and parentheses. */
  readonly depth: number;
}

/** What may stand at a value's place: inside a list, its items. */
export function typeAt(property: Property | undefined, depth: number): ValueType | undefined {
  const type = property?.type;
  return type?.kind === "list" && depth > 0 ? type.item : type;
}

/** Every token with its role. */
export function place(tokens: readonly Token[]): readonly PlacedToken[] {
  const walker = new Walker(tokens);
  return tokens.map((_, n) => walker.step(n));
}

/** The state before the token at `index`; the scope knows all its members, also those that follow. */
export function stateBefore(tokens: readonly Token[], index: number): State {
  const walker = new Walker(tokens);
  for (let n = 0; n < index; n += 1) walker.step(n);
  const state = walker.state();
  for (let n = index; n < tokens.length; n += 1) walker.step(n);
  return state;
}

/**
 * Follows a text token by token. It knows where it is also where the text is half typed: a block inside a block, or
 * an `=` inside a list, can only mean that a bracket is missing.
 */
class Walker {
  #scope = fileScope();
  #member: Member | undefined;
  #depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  state(): State {
    const member = this.#member;
    return { scope: this.#scope, depth: this.#depth, ...(member ? { member } : {}) };
  }

  step(n: number): PlacedToken {
    const token = this.tokens[n] as Token;
    const scope = this.#scope;
    if (token.kind === "comment") return { ...token, role: "comment", scope };
    const role = token.kind === "symbol" ? this.#symbol(token, n) : this.#operand(token, n);
    const { key, kind, first } = this.#member ?? {};
    return {
      ...token,
      role,
      scope: this.#scope,
      ...(key ? { key: key.text } : {}),
      ...(first && (kind === "block" || kind === "run") ? { header: first.text } : {}),
    };
  }

  #symbol(token: Token, n: number): Role {
    switch (token.text) {
      case "{":
        this.#open(token, n);
        break;
      case "}":
        this.#close();
        break;
      case "=":
        this.#assign(token, n);
        break;
      case "[":
      case "(":
        this.#depth += 1;
        this.#extend(token);
        break;
      case "]":
      case ")":
        this.#depth = Math.max(0, this.#depth - 1);
        this.#extend(token);
        break;
      default:
        this.#extend(token);
    }
    return "symbol";
  }

  #extend(token: Token): void {
    if (this.#member) this.#member = { ...this.#member, last: token };
  }

  /** `key =`: the name before it is a key, whatever it seemed to be. */
  #assign(token: Token, n: number): void {
    const key = this.#before(n);
    this.#depth = 0;
    if (key?.kind !== "name") return;
    const isLet = this.#member?.kind === "let" && this.#before(n, 2)?.text === "let";
    if (!isLet) this.#scope.members.add(key.text);
    this.#member = { kind: isLet ? "let" : "entry", first: key, key, last: token };
  }

  /** The token before the n-th that is no comment. */
  #before(n: number, count = 1): Token | undefined {
    let left = count;
    for (let index = n - 1; index >= 0; index -= 1) {
      const token = this.tokens[index];
      if (token && token.kind !== "comment") left -= 1;
      if (left === 0) return token;
    }
    return undefined;
  }

  #open(token: Token, n: number): void {
    const member = this.#member;
    const last = this.#before(n);
    const named = member?.kind === "entry" || member?.kind === "let";
    const tagged = named && this.#depth === 0 && last?.kind === "name";
    this.#depth = 0;
    this.#member = undefined;
    if (tagged && member.key && !Object.hasOwn(BLOCKS, last.text)) {
      const key = member.key.text;
      this.#scope =
        member.kind === "let"
          ? constantScope(this.#scope, key, last.text)
          : variantScope(this.#scope, key, last.text);
      return;
    }
    const header = member?.kind === "block" || member?.kind === "run" ? member : undefined;
    const first = header?.first ?? last ?? token;
    const isRun = member?.kind === "run";
    if (isRun || Object.hasOwn(BLOCKS, first.text)) this.#leaveBodies(isRun);
    const name = header?.key?.text;
    this.#scope = isRun ? runScope(this.#scope, name) : blockScope(this.#scope, first.text, name);
  }

  /** Blocks stand in the file or a run, runs in the file only: bodies still open miss their brace. */
  #leaveBodies(run: boolean): void {
    while (this.#scope.parent && (run || this.#scope.kind === "body")) {
      this.#scope = this.#scope.parent;
    }
  }

  #close(): void {
    this.#depth = 0;
    this.#member = undefined;
    if (this.#scope.parent) this.#scope = this.#scope.parent;
  }

  #operand(token: Token, n: number): Role {
    const member = this.#member;
    if (this.#depth > 0 && member) {
      this.#extend(token);
      return this.#valueRole(token, member, n);
    }
    if (!member || this.#complete(member, token, n)) return this.#begin(token, n);
    const role = this.#continue(token, member, n);
    if (member.kind === "import" || member.kind === "version") this.#member = undefined;
    return role;
  }

  /** Whether the member so far could end here, and the token does not belong to it. */
  #complete({ kind, last, key }: Member, token: Token, n: number): boolean {
    const next = this.#after(n);
    if (token.kind === "name" && next === "=" && last.text !== "let") return true;
    const known = token.kind === "name" && Object.hasOwn(BLOCKS, token.text);
    if (known && (next === "{" || next === '"')) return last.text !== "extends";
    if (kind === "entry" || (kind === "let" && last !== key && last.text !== "let")) {
      if (last.kind === "symbol" && last.text !== "]" && last.text !== ")") return false;
      const unit =
        last.kind === "number" && !token.leads && (token.kind === "rate" || token.kind === "name");
      return !(unit && next !== "=" && next !== "{" && next !== '"');
    }
    return false;
  }

  /** What follows the n-th token: a symbol, or `"` for a string. */
  #after(n: number): string | undefined {
    const next = this.tokens.slice(n + 1, n + 4).find(({ kind }) => kind !== "comment");
    return next?.kind === "string" ? '"' : next?.text;
  }

  #begin(token: Token, n: number): Role {
    const next = this.#after(n);
    if (token.kind !== "name") {
      this.#member = undefined;
      return token.kind === "rate" ? "word" : token.kind;
    }
    if (next === "=") {
      this.#member = { kind: "entry", first: token, key: token, last: token };
      return "key";
    }
    const top = this.#scope.kind === "file";
    const kind = (top && WORDS[token.text]) || "block";
    this.#member = { kind, first: token, last: token };
    if (kind === "version") {
      this.#scope.members.add(token.text);
      return "skrull";
    }
    if (kind !== "block") return "keyword";
    return this.#scope.kind === "body" && !Object.hasOwn(BLOCKS, token.text) ? "key" : "block";
  }

  /** A token of a member that has begun. */
  #continue(token: Token, member: Member, n: number): Role {
    this.#extend(token);
    switch (member.kind) {
      case "version":
        return token.kind === "number" ? "version" : "word";
      case "import":
        return token.kind === "string" ? "import-path" : "word";
      case "let":
        if (member.key) return this.#valueRole(token, member, n);
        this.#member = { ...member, key: token, last: token };
        return "constant";
      case "entry":
        return this.#valueRole(token, member, n);
      default:
        return this.#headerRole(token, member);
    }
  }

  #headerRole(token: Token, member: Member): Role {
    if (token.kind === "string") return "label";
    if (token.kind !== "name") return token.kind === "rate" ? "word" : token.kind;
    if (member.last.text === "extends" && member.last !== member.first) return "base";
    if (token.text === "extends") return "keyword";
    if (member.last !== member.first) return "word";
    this.#member = { ...member, key: token, last: token };
    return member.kind === "run" ? "run-name" : "block-name";
  }

  #valueRole(token: Token, member: Member, n: number): Role {
    if (token.kind === "string" || token.kind === "number") return token.kind;
    const afterNumber =
      member.last.kind === "number" && !token.leads && this.#before(n) === member.last;
    return token.kind === "rate" || afterNumber ? "unit" : "word";
  }
}

/** Words that begin a member of the file, and of nothing else. */
const WORDS: Readonly<Record<string, Member["kind"]>> = {
  skrull: "version",
  import: "import",
  let: "let",
  run: "run",
};
