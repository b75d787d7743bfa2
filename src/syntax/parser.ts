import {
  CstParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  type TokenType,
  tokenLabel,
} from "chevrotain";
import { MOST_DIAGNOSTICS } from "../diagnostics/diagnostic.js";
import {
  BarePath,
  CloseBrace,
  CloseBracket,
  CloseParen,
  Comma,
  Equals,
  Minus,
  Name,
  NumberLiteral,
  OpenBrace,
  OpenBracket,
  OpenParen,
  OtherQuotes,
  Plus,
  Rate,
  Slash,
  Star,
  Text,
  TOKENS,
  UnterminatedText,
} from "./tokens.js";

const either = (tokens: readonly TokenType[]): string => {
  const labels = [...new Set(tokens.map(tokenLabel))];
  const last = labels.pop() ?? "something else";
  return labels.length === 0 ? last : `${labels.join(", ")} or ${last}`;
};

const END = "a block or the end of the file";

/** A closing bracket is never all that could stand in its place. */
function expectedThere(expected: TokenType, previous: IToken): string {
  if (expected === EOF) return END;
  if (expected === CloseBrace) return "a key or '}'";
  if (expected !== CloseBracket) return tokenLabel(expected);
  const between = previous.tokenType === OpenBracket || previous.tokenType === Comma;
  return between ? "a value or ']'" : "',' or ']'";
}

const EXPECTED_BY_RULE: Readonly<Record<string, string>> = {
  value: "a value",
  operand: "a number, '(' or a constant",
};

/** Messages hold only what was expected; the caller adds what was found. */
const EXPECTED: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, previous }) => expectedThere(expected, previous),
  buildNotAllInputParsedMessage: () => END,
  buildNoViableAltMessage: ({ expectedPathsPerAlt, ruleName }) =>
    EXPECTED_BY_RULE[ruleName] ??
    either(expectedPathsPerAlt.flatMap((paths) => paths.flatMap((path) => path.slice(0, 1)))),
  buildEarlyExitMessage: ({ expectedIterationPaths }) =>
    either(expectedIterationPaths.flatMap((path) => path.slice(0, 1))),
};

/** The grammar of a spec. The tree is built by `parse.ts`; `grammar/skrull.ebnf` is generated from here. */
export class SpecParser extends CstParser {
  readonly file = this.RULE("file", () => {
    this.OPTION({
      MAX_LOOKAHEAD: 1,
      GATE: () => this.startsVersion(),
      DEF: () => this.SUBRULE(this.version),
    });
    this.MANY({
      MAX_LOOKAHEAD: 1,
      GATE: () => this.worthGoingOn(),
      DEF: () => this.SUBRULE(this.member),
    });
  });

  readonly version = this.RULE("version", () => {
    this.CONSUME(Name);
    this.CONSUME(NumberLiteral);
  });

  /** @param inside of a block: there a text seldom is the name of another one */
  readonly member = this.RULE("member", (inside?: boolean) => {
    // Decided by what would make it a block: `key 2` is then an entry without its '=', which recovery inserts.
    this.OR({
      MAX_LOOKAHEAD: 1,
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { GATE: () => this.startsImport(), ALT: () => this.SUBRULE(this.import) },
        { GATE: () => this.startsConstant(), ALT: () => this.SUBRULE(this.constant) },
        { GATE: () => this.startsBlock(inside), ALT: () => this.SUBRULE(this.block) },
        { ALT: () => this.SUBRULE(this.entry) },
      ],
    });
  });

  readonly import = this.RULE("import", () => {
    this.CONSUME(Name);
    this.CONSUME(Text);
  });

  readonly constant = this.RULE("constant", () => {
    this.CONSUME(Name);
    this.CONSUME1(Name, { LABEL: "constantName" });
    this.CONSUME(Equals);
    this.SUBRULE(this.value);
  });

  readonly entry = this.RULE("entry", () => {
    this.CONSUME(Name);
    this.CONSUME(Equals);
    this.SUBRULE(this.value);
  });

  readonly block = this.RULE("block", () => {
    this.CONSUME(Name);
    this.OPTION({
      MAX_LOOKAHEAD: 1,
      GATE: () => !this.startsBase(1),
      DEF: () => this.CONSUME1(Name, { LABEL: "given" }),
    });
    this.OPTION1(() => this.CONSUME(Text));
    this.OPTION2(() => this.SUBRULE(this.base));
    this.SUBRULE(this.body);
  });

  readonly base = this.RULE("base", () => {
    this.CONSUME(Name);
    this.CONSUME1(Name, { LABEL: "baseName" });
  });

  readonly body = this.RULE("body", () => {
    this.CONSUME(OpenBrace);
    this.MANY({
      MAX_LOOKAHEAD: 1,
      GATE: () => this.worthGoingOn(),
      DEF: () => this.SUBRULE(this.member, { ARGS: [true] }),
    });
    this.CONSUME(CloseBrace);
  });

  readonly value = this.RULE("value", () => {
    this.OR({
      MAX_LOOKAHEAD: 1,
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.CONSUME(Text) },
        { ALT: () => this.SUBRULE(this.list) },
        {
          GATE: () => this.LA(2).tokenType === OpenBrace,
          ALT: () => this.SUBRULE(this.tagged),
        },
        {
          // In `a = b = 1` the value of `a` is missing.
          GATE: () => this.LA(1).tokenType !== Name || this.LA(2).tokenType !== Equals,
          ALT: () => this.SUBRULE(this.sum),
        },
      ],
    });
  });

  readonly sum = this.RULE("sum", () => {
    this.SUBRULE(this.product);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(Plus) }, { ALT: () => this.CONSUME(Minus) }]);
      this.SUBRULE1(this.product);
    });
  });

  readonly product = this.RULE("product", () => {
    this.SUBRULE(this.operand);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(Star) }, { ALT: () => this.CONSUME(Slash) }]);
      this.SUBRULE1(this.operand);
    });
  });

  readonly operand = this.RULE("operand", () => {
    this.OPTION(() =>
      this.OR1([{ ALT: () => this.CONSUME(Minus) }, { ALT: () => this.CONSUME(Plus) }]),
    );
    this.OR([
      { ALT: () => this.SUBRULE(this.quantity) },
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.CONSUME(Name) },
    ]);
  });

  readonly group = this.RULE("group", () => {
    this.CONSUME(OpenParen);
    this.SUBRULE(this.sum);
    this.CONSUME(CloseParen);
  });

  readonly quantity = this.RULE("quantity", () => {
    this.CONSUME(NumberLiteral);
    this.OPTION({
      GATE: () => !this.startsMember(),
      DEF: () => this.OR([{ ALT: () => this.CONSUME(Name) }, { ALT: () => this.CONSUME(Rate) }]),
    });
  });

  readonly list = this.RULE("list", () => {
    this.CONSUME(OpenBracket);
    this.OPTION(() => {
      this.SUBRULE(this.value);
      this.MANY({
        GATE: () => this.LA(2).tokenType !== CloseBracket,
        DEF: () => {
          this.CONSUME(Comma);
          this.SUBRULE1(this.value);
        },
      });
      this.OPTION1(() => this.CONSUME1(Comma));
    });
    this.CONSUME(CloseBracket);
  });

  readonly tagged = this.RULE("tagged", () => {
    this.CONSUME(Name);
    this.SUBRULE(this.body);
  });

  /** @param skipValidations of the grammar: a test does them, every start need not */
  constructor(skipValidations = true) {
    super([...TOKENS], {
      recoveryEnabled: true,
      maxLookahead: 2,
      errorMessageProvider: EXPECTED,
      skipValidations,
    });
    this.performSelfAnalysis();
  }

  protected override canTokenTypeBeInsertedInRecovery(tokenType: TokenType): boolean {
    // What follows is the next entry, not the value of this one.
    return tokenType !== Equals || this.LA(2).tokenType !== Equals;
  }

  protected override canTokenTypeBeDeletedInRecovery(tokenType: TokenType): boolean {
    // In `a b = 1` the name before the '=' is the next key.
    return tokenType !== Equals || this.LA(1).tokenType !== Name;
  }

  private startsVersion(): boolean {
    const next = this.LA(2).tokenType;
    return (
      next === NumberLiteral ||
      (this.LA(1).image === "skrull" && next !== Equals && next !== OpenBrace)
    );
  }

  /** With a path, or a name that was meant as one. */
  private startsImport(): boolean {
    if (this.LA(1).image !== "import") return false;
    const next = this.LA(2);
    if (isText(next)) return !opens(this.LA(3));
    return next.tokenType === Name && this.onLine(2) && !this.startsBlock();
  }

  private startsConstant(): boolean {
    return this.LA(1).image === "let" && this.LA(2).tokenType === Name && !opens(this.LA(3));
  }

  private startsBlock(inside?: boolean): boolean {
    if (opens(this.LA(2))) return true;
    if (isText(this.LA(2))) return !inside || opens(this.LA(3)) || this.startsBase(3);
    let next = 2;
    if (this.LA(next).tokenType === Name && !this.startsBase(next)) next += 1;
    if (isText(this.LA(next))) next += 1;
    if (this.startsBase(next)) next += 2;
    // `cluster big extends { ... }`, without the name.
    else if (next > 2 && this.LA(next).image === "extends") next += 1;
    return opens(this.LA(next));
  }

  /** Whether `extends NAME` stands there. */
  private startsBase(at: number): boolean {
    return this.LA(at).image === "extends" && this.LA(at + 1).tokenType === Name;
  }

  /** Whether a token is on the line of the one before it. */
  private onLine(at: number): boolean {
    return this.LA(at).startLine === this.LA(at - 1).startLine;
  }

  /** Recovery from each error looks far ahead: a file of nothing but errors would take minutes. */
  private worthGoingOn(): boolean {
    return this.errors.length <= MOST_DIAGNOSTICS;
  }

  /**
   * After a number, a name on its line is its unit unless it begins the next entry, block or constant:
   * `nodes = 4 gpus = 8`.
   */
  private startsMember(): boolean {
    const next = this.LA(2);
    const sameLine = this.onLine(1);
    const begins = next.tokenType === Equals || opens(next) || isText(next);
    return !sameLine || begins || this.startsConstant();
  }
}

const opens = (token: IToken): boolean => token.tokenType === OpenBrace;
const TEXTS: readonly TokenType[] = [Text, UnterminatedText, OtherQuotes, BarePath];
const isText = (token: IToken): boolean => TEXTS.includes(token.tokenType);

export const SPEC_PARSER = new SpecParser();
