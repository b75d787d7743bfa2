/** A stretch of text that looks like a credential. */
export interface Secret {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

interface Pattern {
  readonly kind: string;
  /** The credential is the group `secret`, or the whole match. */
  readonly regex: RegExp;
}

/** Forms that the issuers publish; each is long and regular enough not to be met by chance. */
const PATTERNS: readonly Pattern[] = [
  { kind: "a Hugging Face token", regex: /\bhf_[A-Za-z0-9]{20,}/g },
  { kind: "an AWS access key", regex: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    kind: "an AWS secret key",
    regex:
      /aws[\w-]*secret[\w-]*["']?\s*[:=]\s*["']?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])/gi,
  },
  { kind: "a GitHub token", regex: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})/g },
  { kind: "a GitLab token", regex: /\bglpat-[\w-]{20,}/g },
  {
    // A file's name may begin as one does, but not hold that many letters and digits without a break.
    kind: "an API key",
    regex: /\bsk-(?=[\w-]*[A-Za-z0-9]{20})(?:[a-z]+-)*[\w-]{32,}/g,
  },
  { kind: "a Slack token", regex: /\bxox[abprs]-[A-Za-z0-9-]{10,}/g },
  { kind: "a Google API key", regex: /\bAIza[\w-]{35}/g },
  { kind: "a Weights & Biases key", regex: /\bwandb_v\d_\w{20,}/g },
  {
    // 40 hexadecimal digits are also a commit: only beside a word that says what they are.
    kind: "a Weights & Biases key",
    regex: /(?:wandb|api[_-]?key)[^\r\n]{0,40}?(?<secret>\b[0-9a-f]{40}\b)/gi,
  },
  {
    kind: "a private key",
    regex:
      /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g,
  },
  { kind: "a password in a URL", regex: /\b[a-z][a-z+.-]*:\/\/[^\s/:@"]+:(?<secret>[^\s/@"]+)@/gi },
];

/** Credentials in a text, in its order, none within another. */
export function findSecrets(text: string): readonly Secret[] {
  const found = PATTERNS.flatMap(({ kind, regex }) =>
    [...text.matchAll(regex)].map((match): Secret => {
      const secret = match.groups?.["secret"] ?? match[0];
      const start = match.index + match[0].lastIndexOf(secret);
      return { start, end: start + secret.length, kind };
    }),
  );
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  let end = 0;
  return found.filter((secret) => {
    if (secret.start < end) return false;
    end = secret.end;
    return true;
  });
}

/** Of a credential that is looked for by itself; shorter ones are met by chance. */
const SHORTEST = 6;

/** A function that covers credentials, and those of some texts also where nothing beside them gives them away. */
export function secretCover(texts: readonly string[]): (text: string) => string {
  const known = texts.flatMap((text) =>
    findSecrets(text).map(({ start, end }) => text.slice(start, end)),
  );
  const secrets = [...new Set(known)].filter(({ length }) => length >= SHORTEST);
  return (text) => secrets.reduce(coverOne, coverSecrets(text));
}

/** Also its beginning, where a message has shortened it. */
function coverOne(text: string, secret: string): string {
  const covered = text.replaceAll(secret, "*".repeat(secret.length));
  if (!covered.includes("…")) return covered;
  for (let length = secret.length - 1; length >= SHORTEST; length -= 1) {
    const beginning = `${secret.slice(0, length)}…`;
    if (covered.includes(beginning)) return covered.replaceAll(beginning, `${"*".repeat(length)}…`);
  }
  return covered;
}

/** The text with every credential covered, character for character. */
export function coverSecrets(text: string): string {
  let covered = text;
  for (const { start, end } of findSecrets(text)) {
    const inside = covered.slice(start, end).replace(/[^\r\n]/g, "*");
    covered = `${covered.slice(0, start)}${inside}${covered.slice(end)}`;
  }
  return covered;
}
