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
  CloseBrace,
  CloseBracket,
  Comma,
  Equals,
  Name,
  NumberLiteral,
  OpenBrace,
  OpenBracket,
  Rate,
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

/** Messages hold only what was expected; the caller adds what was found. */
const EXPECTED: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, previous }) => expectedThere(expected, previous),
  buildNotAllInputParsedMessage: () => END,
  buildNoViableAltMessage: ({ expectedPathsPerAlt }) =>
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

  readonly member = this.RULE("member", () => {
    // Decided by what would make it a block: `key 2` is then an entry without its '=', which recovery inserts.
    this.OR({
      MAX_LOOKAHEAD: 1,
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { GATE: () => this.startsBlock(), ALT: () => this.SUBRULE(this.block) },
        { ALT: () => this.SUBRULE(this.entry) },
      ],
    });
  });

  readonly entry = this.RULE("entry", () => {
    this.CONSUME(Name);
    this.CONSUME(Equals);
    this.SUBRULE(this.value);
  });

  readonly block = this.RULE("block", () => {
    this.CONSUME(Name);
    this.OPTION(() => this.CONSUME(Text));
    this.SUBRULE(this.body);
  });

  readonly body = this.RULE("body", () => {
    this.CONSUME(OpenBrace);
    this.MANY({
      MAX_LOOKAHEAD: 1,
      GATE: () => this.worthGoingOn(),
      DEF: () => this.SUBRULE(this.member),
    });
    this.CONSUME(CloseBrace);
  });

  readonly value = this.RULE("value", () => {
    this.OR([
      { ALT: () => this.CONSUME(Text) },
      { ALT: () => this.SUBRULE(this.quantity) },
      { ALT: () => this.SUBRULE(this.list) },
      {
        // In `a = b = 1` the value of `a` is missing.
        GATE: () => this.LA(2).tokenType !== Equals,
        ALT: () => this.SUBRULE(this.choice),
      },
    ]);
  });

  readonly quantity = this.RULE("quantity", () => {
    this.CONSUME(NumberLiteral);
    this.OPTION1({ GATE: () => !this.startsMember(), DEF: () => this.CONSUME(Name) });
    this.OPTION2(() => this.CONSUME(Rate));
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

  readonly choice = this.RULE("choice", () => {
    this.CONSUME(Name);
    this.OPTION(() => this.SUBRULE(this.body));
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

  private startsBlock(): boolean {
    const next = this.LA(2).tokenType;
    return next === OpenBrace || next === Text || next === UnterminatedText;
  }

  /** Recovery from each error looks far ahead: a file of nothing but errors would take minutes. */
  private worthGoingOn(): boolean {
    return this.errors.length <= MOST_DIAGNOSTICS;
  }

  /** After a number, a name is its unit unless it begins the next entry or block: `nodes = 4 gpus = 8`. */
  private startsMember(): boolean {
    return this.LA(2).tokenType === Equals || this.startsBlock();
  }
}

export const SPEC_PARSER = new SpecParser();
