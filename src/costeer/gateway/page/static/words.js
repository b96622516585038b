/** Words of natural language, compared without regard to capitals. */

const WORD = /[\p{L}\p{M}\p{N}'’-]+/gu;

/** Whether a text is letters only, so that it is a piece of a word. */
export const isPiece = (text) => /^[\p{L}\p{M}\p{N}'’-]+$/u.test(text);

/** The words of a text, in small letters. */
export function words(text) {
  return new Set(text.toLocaleLowerCase().match(WORD) ?? []);
}

/** Whether a word stands in a text. */
export function holds(text, word) {
  return words(text).has(word.toLocaleLowerCase());
}

/** A part of a text around a word in it. */
export function around(text, word) {
  const at = text.toLocaleLowerCase().indexOf(word.toLocaleLowerCase());
  const from = Math.max(at - 60, 0);
  const to = Math.min(at + word.length + 60, text.length);
  return `${from > 0 ? "…" : ""}${text.slice(from, to)}${to < text.length ? "…" : ""}`;
}
