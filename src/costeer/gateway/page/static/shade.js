/** How far steering moved a word, in four quiet steps; what hardly moved is not shaded at all. */

/** In bits: log2 of the probability after steering over the one before. */
const STEPS = [0.5, 1, 2, 4];

/** The step of a shift: 0 for none, up to 4. */
export function step(shift) {
  if (shift === null || shift === undefined) return 0;
  return STEPS.filter((from) => Math.abs(shift) >= from).length;
}

/** A shift of a word in words: "3.2 times likelier". */
export function inWords(shift, word) {
  if (shift === null || shift === undefined) return "";
  if (Math.abs(shift) < 0.07) return `Your profile left “${word}” as likely as it was.`;
  const times = 2 ** Math.abs(shift);
  const factor = times >= 1000 ? "over 1,000" : times >= 10 ? Math.round(times) : times.toFixed(1);
  return `Your profile made “${word}” ${factor} times ${shift > 0 ? "likelier" : "less likely"}.`;
}

/** A token's text with its blanks made visible; what is no whole character is named. */
export function visible(text) {
  if (text === "") return "(part of a character)";
  return text.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll("\r", "␍");
}

/** A token's text for the ear: screen readers are silent about blanks. */
export function spoken(text) {
  if (text.trim() !== "") return text.trim();
  if (text === "") return "part of a character";
  return text.includes("\n") ? "line break" : text.includes("\t") ? "tab" : "space";
}
