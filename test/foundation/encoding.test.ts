import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8 } from "../../src/foundation/encoding.js";

const bytes = (text: string, encoding: BufferEncoding = "utf8") =>
  new Uint8Array(Buffer.from(text, encoding));

describe("decoding", () => {
  it("gives the text of UTF-8, with its mark", () => {
    for (const text of ["", "a", "ä😀\uFFFD", "\uFEFFskrull 1", "a\0b\0c"])
      expect(decodeUtf8(bytes(text))).toEqual({ text });
  });

  it("names UTF-16, with a mark or by its zeros", () => {
    const little = bytes("skrull 1", "utf16le");
    expect(decodeUtf8(little)).toEqual({
      text: "skrull 1",
      problem: { what: "it looks like UTF-16 (little endian)", offset: 0 },
    });
    expect(decodeUtf8(new Uint8Array([0xfe, 0xff, 0, 0x61])).problem?.what).toContain("big endian");
  });

  it("does not take a file of zeros for UTF-16", () => {
    expect(decodeUtf8(new Uint8Array(100)).problem).toBeUndefined();
  });

  it("tells the first byte that is wrong, past marks that are the text's own", () => {
    const found = decodeUtf8(new Uint8Array([...bytes("\uFFFDä"), 0xe4, ...bytes(" b")]));
    expect(found).toEqual({
      text: "\uFFFDä\uFFFD b",
      problem: { what: "byte 6 is 0xE4", offset: 2 },
    });
  });

  it("tells a character that is cut off at the end", () => {
    const found = decodeUtf8(bytes("a😀").subarray(0, 4));
    expect(found.problem).toEqual({ what: "byte 2 is 0xF0", offset: 1 });
  });

  it("never throws, and finds a problem in just what is not UTF-8", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (content) => {
        const { text, problem } = decodeUtf8(content);
        if (problem?.what.startsWith("byte")) {
          expect(isUtf8(content)).toBe(false);
          expect(text[problem.offset]).toBe("\uFFFD");
          const sound = bytes(text.slice(0, problem.offset));
          expect(content.subarray(0, sound.length)).toEqual(sound);
        } else if (!problem) {
          expect(bytes(text)).toEqual(content);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
