/** How far steering moved a word, in four quiet steps; what hardly moved is not shaded at all. */

/** In bits: log2 of the probability after steering over the one before. */
const STEPS = [0.5, 1, 2, 4];

/** The step of a shift: 0 for none, up to 4. */
export function step(shift) {
  if (shift === null || shift === undefined) return 0;
  return STEPS.filter((from) => Math.abs(shift) >= from).length;
}

/** A shift of a word in words; shifts are the least that is certain. */
export function inWords(shift, word) {
  if (shift === null || shift === undefined) return "";
  if (Math.abs(shift) < 0.07) return `Your profile hardly moved “${word}”, as far as is certain.`;
  const times = 2 ** Math.abs(shift);
  const factor =
    times >= 1000 ? "over 1,000" : `at least ${times >= 10 ? Math.round(times) : times.toFixed(1)}`;
  return `Your profile made “${word}” ${factor} times ${shift > 0 ? "likelier" : "less likely"}.`;
}

/** A token as it is named: its text with visible blanks, or what it stands for without one. */
export function nameOf(token) {
  return token.text === "" ? nothing(token) : visible(token.text);
}

const nothing = (token) => (token.end ? "(end of the answer)" : "(part of a character)");

/** A token's text with its blanks made visible. */
export function visible(text) {
  return text
    .replaceAll(" ", "␣")
    .replaceAll("\n", "↵")
    .replaceAll("\t", "⇥")
    .replaceAll("\r", "␍");
}

/** A token for the ear: screen readers are silent about blanks. */
export function spoken(token) {
  const { text } = token;
  if (text === "") return nothing(token);
  if (text.trim() !== "") return text.trim();
  return text.includes("\n") ? "line break" : text.includes("\t") ? "tab" : "space";
}
