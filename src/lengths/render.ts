import { type ChatTemplate, type RoleTemplate, roleOf } from "../catalogue/template.js";
import type { Message, Sample, SampleFormat } from "./format.js";

/** Everything that decides a sample's text. */
export interface Rendering {
  readonly format: SampleFormat;
  /** With the end token in its place; `null` where samples are no conversations. */
  readonly template: ChatTemplate | null;
  /** Around samples that are no conversations; empty where there is none. */
  readonly begin: string;
  readonly end: string;
}

/**
 * A piece of a sample, tokenised by itself. Of a trained piece the loss counts what follows the header, which is a
 * part of its text.
 */
export interface Segment {
  readonly text: string;
  readonly header: string;
  readonly trained: boolean;
}

export type Rendered =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly reason: string };

/**
 * The pieces of a sample; the runtime (`skrull_runtime.rendering`) makes the same ones. A conversation may be one that
 * its template has no words for.
 */
export function renderSample(sample: Sample, rendering: Rendering): Rendered {
  if (sample.kind === "conversation") {
    const template = rendering.template;
    if (!template) throw new Error("a conversation needs a template");
    return renderConversation(sample.messages, template);
  }
  const { prompt, completion } = sample;
  const body = { text: prompt + completion, header: prompt, trained: true };
  return {
    ok: true,
    segments: [...fixed([rendering.begin]), body, ...fixed([rendering.end], true)],
  };
}

const fixed = (texts: readonly string[] = [], trained = false): readonly Segment[] =>
  texts.filter((text) => text !== "").map((text) => ({ text, header: "", trained }));

const TRAINED_ROLE = "assistant";

function renderConversation(messages: readonly Message[], template: ChatTemplate): Rendered {
  const segments: Segment[] = [...fixed(template.begin)];
  /** Contents that wait for the message they go in front of. */
  let waiting = "";
  let place = "";
  let wanted: string | undefined;
  for (const [index, { role, content }] of messages.entries()) {
    const own = roleOf(template.roles, role);
    if (!own)
      return fail(`message ${index + 1} has the role "${role}", which the template does not know`);
    if (own.into === undefined) {
      if (wanted !== undefined && wanted !== role) return fail(followed(place, wanted));
      segments.push(...renderMessage(role, content, waiting, own));
      waiting = "";
      wanted = undefined;
      continue;
    }
    if (wanted !== undefined && wanted !== own.into) return fail(followed(place, wanted));
    waiting += content + (own.separator ?? "");
    place = `message ${index + 1} ("${role}")`;
    wanted = own.into;
  }
  return wanted === undefined ? { ok: true, segments } : fail(followed(place, wanted));
}

const fail = (reason: string): Rendered => ({ ok: false, reason });
const followed = (place: string, wanted: string) =>
  `${place} must be followed by one of the role "${wanted}", as the template has it`;

function renderMessage(
  role: string,
  content: string,
  before: string,
  own: RoleTemplate,
): readonly Segment[] {
  const named = (text: string) => text.split("{role}").join(role);
  const trained = role === TRAINED_ROLE;
  const header = named(own.header ?? "");
  const text = before + (own.trim ? trimmed(content) : content);
  return [
    ...fixed(own.before?.map(named)),
    ...(header + text === "" ? [] : [{ text: header + text, header, trained }]),
    ...fixed(own.end?.map(named), trained),
    ...fixed(own.after?.map(named)),
  ];
}

/** Languages differ in what they call white space; these six are meant. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && WHITE_SPACE.includes(text.charAt(from))) from += 1;
  while (to > from && WHITE_SPACE.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const WHITE_SPACE = " \t\n\r\f\v";
