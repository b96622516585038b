/** The profile editor: what the small model may know. Add, change, search, switch off, delete. */

import { button, count, element } from "./element.js";
import { attempt, confirmed } from "./notices.js";
import * as records from "./records.js";

const PAUSE = 200; // ms without typing

export class Profile {
  #dialog;
  #list = element("ul", { class: "records" });
  #total = element("p", { class: "muted small", role: "status" });
  #query = element("input", {
    type: "search",
    class: "field",
    placeholder: "Search",
    "aria-label": "Search your profile",
    autocomplete: "off",
    spellcheck: "false",
  });
  #timer = 0;
  #adding = this.#form(); // what is written in it stays when the profile is closed

  /** @param dialog the element of index.html. @param changed called after each change. */
  constructor(dialog, changed) {
    this.#dialog = dialog;
    this.changed = changed;
    this.#query.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => attempt(() => this.#load()), PAUSE);
    });
  }

  /** Open it; `name` is the profile's, null where none is open. */
  async open(name) {
    this.#dialog.replaceChildren(
      element(
        "header",
        { class: "sheet-head" },
        element("h2", { id: "profile-title" }, "Your profile"),
        button("Close", () => this.#dialog.close(), { picture: "close", quiet: true }),
      ),
      element(
        "p",
        { class: "muted" },
        "The small model on this device reads it to steer the answers. Only records that you mark are sent; a word that an answer takes from the others is sent with that answer.",
      ),
      ...(name === null ? [nothingOpen()] : []),
      this.#adding,
      element("div", { class: "search" }, this.#query, this.#total),
      this.#list,
    );
    this.#dialog.showModal();
    await attempt(() => this.#load());
  }

  async #load() {
    const query = this.#query.value.trim();
    const found = await records.search(query);
    this.#total.textContent = query
      ? `${count(found.records.length, "record")} found`
      : count(found.total, "record");
    const focused = this.#focused();
    this.#list.replaceChildren(...found.records.map((record) => this.#row(record)));
    focused?.();
    if (query === "" && found.records.length < found.total)
      this.#list.append(this.#more(found.records.length));
  }

  /** Puts the focus back where it is now in the list, or near it; null where it is elsewhere. */
  #focused() {
    const held = document.activeElement;
    const id = this.#list.contains(held) && held.closest("[data-id]")?.dataset.id;
    if (!id) return null;
    const control = held.matches(".switch") ? ".switch" : "button";
    return () =>
      (this.#list.querySelector(`[data-id="${id}"] ${control}`) ?? this.#query).focus();
  }

  /** The list comes in parts. */
  #more(offset) {
    const part = async () => {
      const found = await records.search("", offset);
      const shown = offset + found.records.length;
      more.replaceWith(
        ...found.records.map((record) => this.#row(record)),
        ...(found.records.length && shown < found.total ? [this.#more(shown)] : []),
      );
    };
    const more = element(
      "li",
      {},
      button("Show more", () => attempt(part), { style: "plain-button wide" }),
    );
    return more;
  }

  #form() {
    const kind = kinds("preference", "Kind");
    const sent = sending(kind, false);
    const text = element("textarea", {
      class: "field",
      rows: "2",
      autofocus: true,
      "aria-label": "New record",
      placeholder: "I am vegan and I have no car.",
      autocomplete: "off",
      spellcheck: "false",
    });
    const add = (event) => {
      event.preventDefault();
      if (text.value.trim() === "") return text.focus();
      return this.#change(async () => {
        await records.add(kind.value, text.value.trim(), sent.chosen());
        text.value = "";
        text.focus();
      });
    };
    return element(
      "form",
      { class: "add", on: { submit: add } },
      text,
      element(
        "div",
        { class: "buttons" },
        kind,
        sent.element,
        element("button", { type: "submit", class: "primary-button" }, "Add"),
      ),
    );
  }

  #row(record) {
    const switched = element("input", {
      type: "checkbox",
      role: "switch",
      class: "switch",
      checked: record.active,
      "aria-label": `Read: ${brief(record.text)}`,
      on: {
        change: () => this.#change(() => records.change(record.id, { active: switched.checked })),
      },
    });
    const row = element(
      "li",
      { class: record.active ? "record" : "record inactive", "data-id": record.id },
      element(
        "div",
        { class: "record-text" },
        element("p", { class: "clamp" }, record.text),
        element("span", { class: "kind" }, records.KINDS[record.kind] ?? record.kind),
        record.sent && element("span", { class: "kind sent" }, "Sent with every question"),
      ),
      element(
        "div",
        { class: "record-tools" },
        button(`Edit: ${brief(record.text)}`, () => this.#edit(row, record), {
          picture: "edit",
          quiet: true,
        }),
        button(`Delete: ${brief(record.text)}`, () => this.#remove(record), {
          picture: "trash",
          quiet: true,
        }),
        switched,
      ),
    );
    return row;
  }

  #edit(row, record) {
    const kind = kinds(record.kind, "Kind of this record");
    const sent = sending(kind, record.sent);
    const text = element("textarea", {
      class: "field",
      rows: "3",
      "aria-label": "Text of this record",
      autocomplete: "off",
      spellcheck: "false",
    });
    text.value = record.text;
    const save = (event) => {
      event.preventDefault();
      if (text.value.trim() === "") return text.focus();
      const changes = { kind: kind.value, text: text.value.trim(), sent: sent.chosen() };
      return this.#change(() => records.change(record.id, changes));
    };
    const cancel = () => attempt(() => this.#load());
    row.replaceChildren(
      element(
        "form",
        { class: "add", on: { submit: save, keydown: (event) => escapes(event) && cancel() } },
        text,
        element(
          "div",
          { class: "buttons" },
          kind,
          sent.element,
          button("Cancel", cancel, { style: "plain-button" }),
          element("button", { type: "submit", class: "primary-button" }, "Save"),
        ),
      ),
    );
    text.focus();
  }

  async #remove(record) {
    if (await confirmed("Delete this record?", brief(record.text), "Delete"))
      await this.#change(() => records.remove(record.id));
  }

  async #change(work) {
    await attempt(async () => {
      await work();
      await this.#load();
      this.changed();
    });
  }
}

function kinds(chosen, name) {
  const options = Object.entries(records.KINDS).map(([value, label]) =>
    element("option", { value, selected: value === chosen }, label),
  );
  return element("select", { class: "field", "aria-label": name }, ...options);
}

/** A box to send a record to the large model; not for kinds that cannot be sent. */
function sending(kind, checked) {
  const box = element("input", { type: "checkbox", checked });
  const label = element(
    "label",
    { class: "small send-always", title: "How to answer you, not who you are: it leaves this device." },
    box,
    "Send with every question",
  );
  const update = () => {
    label.hidden = !records.SENDABLE.includes(kind.value);
  };
  kind.addEventListener("change", update);
  update();
  return { element: label, chosen: () => box.checked && !label.hidden };
}

/** Whether Esc was pressed; then it does not close the profile too. */
function escapes(event) {
  if (event.key !== "Escape") return false;
  event.preventDefault();
  return true;
}

function brief(text) {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function nothingOpen() {
  return element(
    "p",
    {},
    "No profile is open, so what you add is gone when ",
    element("code", {}, "costeer app"),
    " ends. To keep it, make one: ",
    element("code", {}, "costeer profile init"),
  );
}
