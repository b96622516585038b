/**
 * One word of an answer: what the cloud would have written, the candidates before and after
 * steering, and the choice to go on from another one. Stays open while the person walks.
 */

import { button, element } from "./element.js";
import { inWords, nameOf, visible } from "./shade.js";
import { around, holds } from "./words.js";

export class Panel {
  #box;
  #shown = null;

  /** @param box the element of index.html. */
  constructor(box) {
    this.#box = box;
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#back();
    });
  }

  /** The view whose word is shown, or null. */
  get view() {
    return this.#shown?.view ?? null;
  }

  /**
   * Show a word.
   * @param shown `view` (TokenView), `index`, `records` that were read, `choose(token)`.
   */
  show(shown) {
    if (this.#shown !== null && this.#shown.view !== shown.view) this.#shown.view.unselect();
    this.#shown = shown;
    const token = shown.view.tokens[shown.index];
    this.#box.replaceChildren(
      ...[
        this.#head(token),
        this.#story(token),
        this.#lists(token),
        this.#cloudsWay(token),
        this.#sources(),
        this.#foot(token),
      ].filter(Boolean),
    );
    this.#box.hidden = false;
    document.body.dataset.panel = "open";
  }

  /** Move the focus to the candidates. */
  enter() {
    (this.#box.querySelector(".candidate") ?? this.#box.querySelector("button")).focus();
  }

  /** Close, and leave the focus where it is. */
  close() {
    this.#shown?.view.unselect();
    this.#shown = null;
    this.#box.hidden = true;
    delete document.body.dataset.panel;
  }

  #back() {
    const view = this.view;
    if (this.#box.contains(document.activeElement)) view?.element.focus();
    else this.close();
  }

  #head(token) {
    const { index, view } = this.#shown;
    return element(
      "header",
      { class: "panel-head" },
      element("h2", {}, element("span", { class: "token" }, nameOf(token))),
      element("span", { class: "muted" }, `${index + 1} of ${view.tokens.length}`),
      button("Close", () => this.close(), { picture: "close", quiet: true }),
    );
  }

  /** What a screen reader says at each step. */
  #story(token) {
    const own = token.own;
    return element(
      "p",
      { class: "story", "aria-live": "polite" },
      token.changed && own
        ? element("strong", {}, `The cloud would have written “${visible(own.text)}”. `)
        : null,
      !token.changed && own ? "The cloud would have written the same. " : null,
      inWords(token.shift, nameOf(token)),
    );
  }

  #cloudsWay(token) {
    if (!token.changed || !token.own) return null;
    return button("Say it the cloud’s way", () => this.#shown.choose(token.own), {
      style: "primary-button wide",
    });
  }

  #lists(token) {
    const lists = [
      ["The cloud alone", token.before],
      ["With your profile", token.after],
    ];
    if (!lists.some(([, rows]) => rows?.length))
      return element("p", { class: "muted" }, "The alternatives were not kept.");
    return element(
      "div",
      { class: "lists" },
      ...lists.map(([name, rows]) => this.#list(name, rows ?? [], token)),
    );
  }

  #list(name, rows, token) {
    const items = rows.map((row) => element("li", {}, this.#candidate(row, token)));
    return element("section", {}, element("h3", {}, name), element("ol", {}, ...items));
  }

  #candidate([id, text, p, bound], token) {
    const written = id === token.id;
    const share = percent(p, bound);
    const row = element(
      "button",
      {
        type: "button",
        class: `candidate${written ? " written" : ""}`,
        "aria-label": `${visible(text)}, ${share.replace("≤", "at most")}${written ? ", written" : ", go on with it"}`,
        "aria-disabled": written ? "true" : null,
        on: { click: () => written || this.#shown.choose({ id, text }) },
      },
      element("span", { class: "token" }, visible(text)),
      element("span", { class: "share" }, share),
    );
    row.style.setProperty("--share", `${Math.min(Math.max(p, 0), 1) * 100}%`);
    return row;
  }

  /** The records that hold the word; nothing is said where none does. */
  #sources() {
    const { view, index, records } = this.#shown;
    const word = view.wordAt(index);
    if (word.length < 3) return null;
    const found = records.filter((record) => holds(record.text, word));
    if (found.length === 0) return null;
    return element(
      "section",
      { class: "sources" },
      element("h3", {}, `“${word}” is in your profile`),
      ...found.slice(0, 3).map((record) => element("p", {}, around(record.text, word))),
    );
  }

  #foot(token) {
    const strength =
      token.strength === null || token.strength === undefined
        ? ""
        : ` Strength here: ${strengthText(token.strength)}.`;
    return element(
      "p",
      { class: "muted small" },
      `Choose another word and the answer goes on from there; this one stays as a branch. What was written has already been sent.${strength}`,
    );
  }
}

/** A probability for people; a bound is the most that it can be. */
function percent(p, bound) {
  if (p < 0.001) return "< 0.1 %";
  const digits = p >= 0.995 || p < 0.1 ? 1 : 0;
  return `${bound ? "≤ " : ""}${(p * 100).toFixed(digits)} %`;
}

function strengthText(strength) {
  return typeof strength === "number" ? strength.toFixed(1) : strength;
}
