/**
 * The words of an answer as the models wrote them, shaded by how far steering moved each.
 *
 * Words are drawn in animation frames, a few hundred a frame at most, and only while they are shown;
 * each line is a block of its own, so that the browser lays out one line a frame, not the whole answer.
 * One element has the focus and names the active word (aria-activedescendant), so that 4,000 words are
 * one stop for the Tab key. What is hovered or active is kept as an index: elements come and go while
 * an answer is written.
 */

import { element } from "./element.js";
import { spoken, step } from "./shade.js";
import { isPiece } from "./words.js";

const SLICE = 250; // words drawn in a frame: on a slow machine, too, well below 50 ms
const HOVER_DELAY = 300; // ms: below it, panels flicker while the pointer crosses the text
let views = 0;

/** Where the pointer is; browsers report what moves beneath it as if the pointer had moved. */
let resting = "";
const place = (event) => `${event.clientX} ${event.clientY}`;
for (const kind of ["pointermove", "pointerdown"]) {
  document.addEventListener(kind, (event) => (resting = place(event)), {
    capture: true,
    passive: true,
  });
}

export class TokenView {
  tokens = [];
  active = null;
  #id = `words-${(views += 1)}`;
  #drawn = [];
  #line = null;
  #frame = 0;
  #timer = 0;
  #listeners;

  /** @param listeners `select(index)`, `enter()`, `leave()`, `grow()`. */
  constructor(listeners) {
    this.#listeners = listeners;
    this.element = element("div", {
      class: "words",
      role: "listbox",
      tabindex: "0",
      "aria-label": "Words of the answer. Arrow keys walk, up and down go to changed words.",
      "aria-live": "off",
      on: {
        keydown: (event) => this.#key(event),
        click: (event) => this.#pick(event),
        pointerover: (event) => this.#hover(event),
        pointerleave: () => clearTimeout(this.#timer),
        focus: () => this.tokens.length && this.select(this.active ?? 0),
      },
    });
  }

  /** Add a word, or put it where one of the same place stands. */
  put(token) {
    const place = token.i ?? this.tokens.length;
    if (place < this.tokens.length) this.cut(place);
    this.tokens.push(token);
    this.#drawLater();
  }

  /** Leave only the first `length` words. */
  cut(length) {
    this.tokens.length = Math.min(length, this.tokens.length);
    this.#undraw(this.tokens.length);
    if (this.active !== null && this.active >= this.tokens.length) this.active = null;
  }

  /** Draw what has come since the last frame; of much of it a part now, the rest in the next ones. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.element.isConnected) return;
    this.element.classList.remove("leaving");
    this.#drawUntil(this.#drawn.length + SLICE);
    if (!this.complete) this.#drawLater();
    this.#listeners.grow?.();
  }

  /** Whether all words are drawn. */
  get complete() {
    return this.#drawn.length === this.tokens.length;
  }

  /** It is no longer shown: take the elements away, as many a frame as are drawn in one. */
  leave() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.element.classList.add("leaving");
    this.#undraw(Math.max(0, this.#drawn.length - SLICE));
    if (this.#drawn.length > 0) this.#frame = requestAnimationFrame(() => this.leave());
    else this.element.remove();
  }

  #drawLater() {
    this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  #drawUntil(length) {
    for (const token of this.tokens.slice(this.#drawn.length, length)) this.#append(token);
  }

  #undraw(length) {
    for (const word of this.#drawn.splice(length)) word.remove();
    while (this.element.lastElementChild?.childElementCount === 0)
      this.element.lastElementChild.remove();
    this.#line = this.element.lastElementChild;
  }

  /** Make a word the active one. */
  select(index) {
    this.#drawUntil(index + 1);
    const chosen = this.#drawn[index];
    if (!chosen) return;
    this.unselect();
    this.active = index;
    chosen.classList.add("active");
    chosen.setAttribute("aria-selected", "true");
    this.element.setAttribute("aria-activedescendant", chosen.id);
    this.#listeners.select(index);
  }

  /** No word is active. */
  unselect() {
    const before = this.#drawn[this.active];
    before?.classList.remove("active");
    before?.setAttribute("aria-selected", "false");
    this.element.removeAttribute("aria-activedescendant");
    this.active = null;
  }

  /** The whole text. */
  get text() {
    return this.tokens.map((token) => token.text).join("");
  }

  /** The word of natural language around a token: the letters that it shares with its neighbours. */
  wordAt(index) {
    const joined = (i) => isPiece(this.tokens[i]?.text ?? "");
    let from = index;
    while (joined(from) && from > 0) from -= 1;
    let to = index + 1;
    while (joined(to)) to += 1;
    return this.tokens
      .slice(from, to)
      .map((token) => token.text)
      .join("")
      .trim();
  }

  /** The words in which something was changed, each once. */
  get changedWords() {
    const found = this.tokens.flatMap((token, i) => (token.changed ? [this.wordAt(i)] : []));
    return [...new Map(found.map((word) => [word.toLocaleLowerCase(), word])).values()];
  }

  #append(token) {
    if (this.#line === null) {
      this.#line = element("div", { role: "none" });
      this.element.append(this.#line);
    }
    const word = this.#word(token, this.#drawn.length);
    this.#drawn.push(word);
    this.#line.append(word);
    if (token.text.endsWith("\n")) this.#line = null;
  }

  #word(token, index) {
    const drawn = element(
      "span",
      {
        role: "option",
        id: `${this.#id}-${index}`,
        class: token.changed ? "word changed" : "word",
        "aria-selected": "false",
        "aria-label": token.text.trim() === "" ? spoken(token) : null,
        "aria-description": token.changed ? "changed by your profile" : null,
      },
      ...marked(token),
    );
    drawn.dataset.index = index;
    return drawn;
  }

  #index(event) {
    const word = event.target.closest?.(".word");
    return word ? Number(word.dataset.index) : null;
  }

  /** Words that move under a resting pointer, as while an answer grows, are not pointed at. */
  #hover(event) {
    clearTimeout(this.#timer);
    const index = this.#index(event);
    if (index === null || event.pointerType === "touch" || place(event) === resting) return;
    this.#timer = setTimeout(() => this.select(index), HOVER_DELAY);
  }

  #pick(event) {
    clearTimeout(this.#timer);
    const index = this.#index(event);
    if (index !== null) this.select(index);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return this.#listeners.leave();
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.#listeners.enter();
    }
    const target = this.#target(event.key);
    if (target === null) return;
    event.preventDefault();
    this.select(target);
    this.#drawn[target]?.scrollIntoView({ block: "nearest" });
  }

  #target(key) {
    const at = this.active ?? 0;
    const last = this.tokens.length - 1;
    if (key === "ArrowLeft") return Math.max(at - 1, 0);
    if (key === "ArrowRight") return Math.min(at + 1, last);
    if (key === "Home") return 0;
    if (key === "End") return last;
    if (key === "ArrowDown") return this.#changed(at, 1);
    if (key === "ArrowUp") return this.#changed(at, -1);
    return null;
  }

  /** The next changed word in a direction; `from` if there is none. */
  #changed(from, direction) {
    let at = from + direction;
    while (this.tokens[at] && !this.tokens[at].changed) at += direction;
    return this.tokens[at] ? at : from;
  }
}

/** A word as nodes: the blank before it is not shaded, unless it is all there is. */
function marked(token) {
  const shade = step(token.shift);
  if (shade === 0 && !token.changed) return [token.text];
  const [, blank, rest] = token.text.match(/^(\s*)([^]*)$/);
  const mark = (text) => element("span", { class: shade ? `mark shade-${shade}` : "mark" }, text);
  return rest === "" ? [mark(blank)] : [blank, mark(rest)];
}
