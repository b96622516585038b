/** Before sending: the records that would be read, each of which can be left out, and values that it holds. */

import { named } from "./before.js";
import * as conversation from "./conversation.js";
import { count, element, icon } from "./element.js";

const PAUSE = 350; // ms without typing

export class Preview {
  #without = new Set();
  #timer = 0;
  #asked = null;
  #nothing = true;
  #off = false;
  #file = false;
  #conversation;
  #accepts;
  #found = { records: [], left_out: [], exposed: [] };
  #list = element("div", { class: "reads", id: "reads", hidden: true });

  /**
   * @param current gives the id of the conversation, or null.
   * @param accepts whether a value is sent as it is without a question.
   */
  constructor(current, accepts) {
    this.#conversation = current;
    this.#accepts = accepts;
    this.toggle = element(
      "button",
      {
        type: "button",
        class: "text-button reads-toggle",
        "aria-expanded": "false",
        "aria-controls": "reads",
        on: { click: () => this.fold(this.#list.hidden) },
      },
      element("span", {}, "What will be read"),
      icon("down"),
    );
    this.warning = element("p", { class: "warning", role: "status", hidden: true });
    this.element = this.#list;
  }

  /** Ids of the records that the person left out. */
  get without() {
    return [...this.#without];
  }

  /** What else is known: the strength is "off", a context file is read besides. */
  know({ off = this.#off, file = this.#file }) {
    this.#off = off;
    this.#file = file;
    this.#draw(this.#found, this.#nothing);
  }

  /** Another conversation: nothing is left out. */
  reset() {
    this.#without.clear();
    this.fold(false);
    this.ask("");
  }

  /** The question is now `text`. */
  ask(text) {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    if (text.trim() === "") return this.#draw({ records: [], left_out: [], exposed: [] }, true);
    this.#timer = setTimeout(() => this.#fetch(text), PAUSE);
    return undefined;
  }

  async #fetch(text) {
    this.#asked = new AbortController();
    try {
      this.#draw(await conversation.preview(this.#conversation(), text, this.#asked.signal), false);
    } catch {
      // The next key asks again; a question that cannot be sent says so itself.
    }
  }

  /** Show the records, or hide them. */
  fold(open) {
    this.toggle.setAttribute("aria-expanded", String(open));
    this.#list.hidden = !open;
  }

  #draw(found, nothing) {
    this.#found = found;
    this.#nothing = nothing;
    this.#count();
    this.#warn(found.exposed ?? []);
    const left = found.left_out ?? [];
    const rows = found.records.map((record) => this.#row(record));
    this.#list.replaceChildren(
      element("p", { class: "muted small" }, this.#heading()),
      ...(rows.length ? [element("ul", {}, ...rows)] : []),
      ...(left.length
        ? [
            element(
              "p",
              { class: "muted small" },
              `${count(left.length, "record")} did not fit: ${left.map(brief).join("; ")}`,
            ),
          ]
        : []),
    );
  }

  #heading() {
    const sent = this.#found.records.filter((record) => record.sent).length;
    if (this.#off)
      return `The strength is off: nothing is read.${sent ? ` ${marked(sent)} still sent.` : ""}`;
    const file = this.#file ? " Your context file is read, too." : "";
    if (this.#nothing)
      return `Write a question; what your profile has for it is shown here.${file}`;
    if (this.#found.records.length === 0) return `Your profile has nothing for this.${file}`;
    const stays = sent ? `${marked(sent)} sent, the others are not.` : "None of them is sent.";
    return `The small model on this device reads these. ${stays}${file}`;
  }

  #count() {
    const n = this.#found.records.filter((record) => !this.#without.has(record.id)).length;
    const some = this.#nothing ? "What will be read" : `${count(n, "record")} will be read`;
    this.toggle.firstChild.textContent = this.#off ? "Nothing will be read" : some;
  }

  #row(record) {
    const box = element("input", {
      type: "checkbox",
      id: `read-${record.id}`,
      checked: !this.#without.has(record.id),
      on: { change: () => this.#tick(record.id, box.checked) },
    });
    return element(
      "li",
      {},
      box,
      element(
        "label",
        { for: box.id },
        element("span", { class: "clamp" }, record.text),
        element("span", { class: "muted small" }, record.reason),
      ),
    );
  }

  #tick(id, read) {
    if (read) this.#without.delete(id);
    else this.#without.add(id);
    this.#count();
  }

  /** Values that are asked about before they are sent. */
  #warn(values) {
    const open = values.filter(({ text }) => !this.#accepts(text));
    const where = open.some(({ asked }) => asked) ? "Your question contains" : "Earlier messages contain";
    this.warning.hidden = open.length === 0;
    this.warning.replaceChildren(
      icon("warn"),
      `${where} ${listed(named(open))}. You will be asked before anything is sent.`,
    );
  }
}

const marked = (n) => (n === 1 ? "The one that you marked is" : `The ${n} that you marked are`);

function brief(record) {
  return record.text.length > 60 ? `${record.text.slice(0, 60)}…` : record.text;
}

function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
