/**
 * One answer: while it is written as words, when it is finished as the text that the server
 * rendered; the person changes between both. The only file that sets HTML: the server's, which
 * holds no script, no style and no image.
 */

import { branches, copyButton } from "./branches.js";
import { button, bytes, count, element, icon } from "./element.js";
import { attempt } from "./notices.js";
import { TokenView } from "./tokens.js";

/** What is said of an answer by its ``finish_reason``. */
const UNFINISHED = {
  length: "The answer was cut at the longest length.",
  interrupted: "The answer was stopped here.",
  error: "The answer broke off here.",
};

export class Answer {
  message;
  live = null;
  #actions;
  #body = element("div", { class: "answer-body" });
  #notes = element("div", { class: "notes" });
  #tools = element("div", { class: "tools" });
  #other = element("section", { class: "other", "aria-label": "The cloud alone", hidden: true });
  #side = null;
  #text = element("div", { class: "text" });
  #sent = null;
  #comparing = null;

  /**
   * @param message as the server keeps it; its id is null while it is written.
   * @param actions see chat.js.
   */
  constructor(message, actions) {
    this.#actions = actions;
    this.words = new TokenView({
      select: (index) => actions.inspect(this, index),
      enter: actions.enterPanel,
      leave: actions.closePanel,
      grow: () => this.#grow(),
    });
    this.element = element(
      "article",
      { class: "answer", "aria-label": "Answer" },
      element("div", { class: "columns" }, this.#body, this.#other),
      this.#notes,
      this.#tools,
    );
    this.update(message);
  }

  get id() {
    return this.message.id;
  }

  /** Show what the server keeps of it. */
  update(message) {
    const before = this.message;
    this.message = message;
    this.#guarded(message.stand_ins);
    this.#unfinished(message.finish_reason);
    if (message.tokens && this.words.tokens.length === 0) this.#words(message.tokens);
    if (message.html !== undefined && message.html !== before?.html) this.#render(message.html);
    if (this.live === null && message.id !== null) this.#finish();
  }

  /** It is being written; `begin` is the gateway's first event. */
  begin(begin) {
    this.live = begin.answer;
    this.#guarded(begin.stand_ins);
    this.#tools.replaceChildren(shading());
    this.#show("words");
  }

  /** A word came. */
  add(token) {
    this.element.classList.remove("waiting");
    this.words.put(token);
  }

  /** Nothing came yet. */
  wait() {
    this.element.classList.add("waiting");
    this.#show("words");
  }

  /** Say that stand-ins were sent, if they were; undefined where it is not known yet. */
  #guarded(sent) {
    if (!sent || this.#notes.querySelector(".guarded")) return;
    const text = "Sent with stand-ins in place of your values.";
    this.#notes.prepend(element("p", { class: "guarded" }, icon("lock"), text));
  }

  /** Say once why it has no end of its own, unless an error says so already. */
  #unfinished(reason) {
    if (!(reason in UNFINISHED) || this.#notes.querySelector(".problem, .unfinished")) return;
    this.#notes.append(element("p", { class: "note unfinished" }, UNFINISHED[reason]));
  }

  /** Tell the person something about this answer. */
  note(text, problem = false) {
    this.#notes.append(element("p", { class: problem ? "note problem" : "note" }, text));
  }

  /** Tell the person, at once, about something that they should act on. */
  warn(text) {
    this.#notes.append(element("p", { class: "note problem", role: "alert" }, text));
  }

  /** The last event came. */
  end(end) {
    this.live = null;
    this.element.classList.remove("waiting");
    this.words.draw();
    if (end.message === null) return this.fail("Nothing was written.");
    this.#sent = end.bytes_up;
    this.#side = null;
    const { message: id, html, finish_reason } = end;
    return this.update({ ...this.message, id, html, finish_reason, text: this.words.text });
  }

  /** It failed; `kept` is the message under which what was written is kept. */
  fail(text, kept = null) {
    this.live = null;
    this.element.classList.remove("waiting");
    this.words.draw();
    this.note(text, true);
    if (kept !== null) {
      this.message = { ...this.message, id: kept };
      return;
    }
    this.#tools.replaceChildren(
      button("Try again", () => this.#actions.retry(this), { picture: "again" }),
    );
  }

  /** Write the cloud's own answer beside this one. */
  async #compare() {
    this.#uncompare();
    this.#actions.closePanel();
    this.#comparing = new AbortController();
    const events = this.#actions.alone(this, this.#comparing.signal);
    const own = element("div", { class: "words" });
    this.#other.replaceChildren(
      element(
        "header",
        { class: "column-head" },
        element("h2", {}, "The cloud alone"),
        button("Close", () => this.#uncompare(), { picture: "close", quiet: true }),
      ),
      own,
    );
    this.#other.hidden = false;
    this.#other.setAttribute("aria-busy", "true");
    this.element.classList.add("comparing", "waiting");
    this.#actions.widen();
    for await (const event of events) {
      this.element.classList.remove("waiting");
      if (event.type === "token") own.append(event.text);
      if (event.type === "end" && this.#sent !== null) this.#sent += event.bytes_up;
    }
    this.#other.setAttribute("aria-busy", "false");
    this.#tools.lastChild.replaceWith(this.#summary());
  }

  #uncompare() {
    this.#comparing?.abort();
    this.#other.hidden = true;
    this.element.classList.remove("comparing", "waiting");
    this.#actions.widen();
  }

  #words(tokens) {
    tokens.forEach((token, i) => this.words.put({ ...token, i }));
  }

  /** The person who walks among the words stays there; else the finished text is shown. */
  #finish() {
    const walking = this.words.active !== null || document.activeElement === this.words.element;
    this.#show(this.#side ?? (walking ? "words" : "text"));
    this.#tools.replaceChildren(...this.#toolbar());
  }

  #render(html) {
    this.#text.innerHTML = html;
    for (const link of this.#text.querySelectorAll("a[href]")) {
      link.target = "_blank";
      link.rel = "noreferrer noopener";
      link.title = link.href;
    }
    for (const wide of this.#text.querySelectorAll("pre, table")) wide.tabIndex = 0;
    // Markers, bars and columns begin on the side on which the text does.
    for (const block of this.#text.querySelectorAll("ul, ol, blockquote, table")) block.dir = "auto";
  }

  #show(side) {
    this.#side = side;
    this.element.dataset.side = side;
    const wanted = side === "words" ? this.words.element : this.#text;
    if (this.#body.firstChild !== wanted) this.#swap(wanted);
    if (side === "words") this.words.draw();
    else if (this.words.active !== null) this.#actions.closePanel();
    for (const choice of this.#tools.querySelectorAll("[data-side]")) {
      choice.setAttribute("aria-pressed", String(choice.dataset.side === side));
    }
  }

  /** Show the other side; words take the room of the text until all of them are drawn. */
  #swap(wanted) {
    const words = this.words.element;
    this.#body.style.minHeight = wanted === words ? `${this.#body.offsetHeight}px` : "";
    if (wanted === words || !words.isConnected) return this.#body.replaceChildren(wanted);
    this.#body.prepend(wanted);
    return this.words.leave();
  }

  #grow() {
    if (this.words.complete) this.#body.style.minHeight = "";
    this.#actions.follow();
  }

  #toolbar() {
    const { message } = this;
    const choice = (name, side) =>
      button(name, () => this.#show(side), {
        style: "segment",
        "data-side": side,
        "aria-pressed": String(this.#side === side),
      });
    const words = this.words.tokens.length > 0;
    return [
      branches(message, this.#actions.go),
      words &&
        element(
          "span",
          { class: "segments", role: "group", "aria-label": "View" },
          choice("Text", "text"),
          choice("Words", "words"),
        ),
      words && shading(),
      copyButton(() => message.text || this.words.text),
      button("Write again", () => this.#actions.regenerate(message), {
        picture: "again",
        quiet: true,
      }),
      button("Compare with the cloud alone", () => attempt(() => this.#compare()), {
        picture: "compare",
        quiet: true,
      }),
      this.#summary(),
    ].filter(Boolean);
  }

  /** What steering did and what it cost; opens the ledger. */
  #summary() {
    const { tokens } = this.words;
    const changed = tokens.filter((token) => token.changed).length;
    const parts = [];
    if (tokens.length) parts.push(`${changed} of ${count(tokens.length, "word")} changed`);
    parts.push(
      this.#sent === null ? "what left this device" : `${bytes(this.#sent)} left this device`,
    );
    return button(parts.join(" · "), () => this.#actions.ledger(this), {
      picture: "ledger",
      style: "text-button summary",
    });
  }
}

/** Switches the shades of all answers, and shows what they mean. */
function shading() {
  const on = () => document.body.dataset.shade !== "off";
  const swatches = [1, 2, 3, 4].map((step) => element("i", { class: `shade-${step}` }));
  const made = button("Shading", toggle, {
    style: "text-button shading",
    "aria-pressed": String(on()),
  });
  made.title =
    "The more a word is shaded, the more your profile moved it; a changed word is underlined.";
  made.append(element("span", { class: "swatches", "aria-hidden": "true" }, ...swatches));
  function toggle() {
    document.body.dataset.shade = on() ? "off" : "on";
    for (const one of document.querySelectorAll(".shading"))
      one.setAttribute("aria-pressed", String(on()));
  }
  return made;
}
