import { RULES_OF_TOPIC } from "../lint/rules/topics.generated.js";
import { TOPICS, type Topic } from "../lint/topics.js";

const COLUMNS = 80;

/** Every lint rule by its topic, for `--help`. */
export function rulesHelp(): string {
  const topics = (Object.keys(TOPICS) as Topic[]).map((topic) => {
    const rules = lines(RULES_OF_TOPIC[topic]).map((line) => `    ${line}\n`);
    return `  ${TOPICS[topic]}\n${rules.join("")}`;
  });
  return `\nRules, by topic; 'skrull explain RULE' shows one:\n${topics.join("")}`;
}

/** Words with commas between them, on lines that are not too long. */
function lines(words: readonly string[]): readonly string[] {
  const made: string[] = [];
  for (const word of words) {
    const longer = `${made.at(-1)}, ${word}`;
    if (made.length > 0 && longer.length < COLUMNS - 5) made[made.length - 1] = longer;
    else made.push(word);
  }
  return made.map((line, n) => (n < made.length - 1 ? `${line},` : line));
}
