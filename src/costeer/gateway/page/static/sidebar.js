/** The list of conversations. */

import * as conversation from "./conversation.js";
import { button, element } from "./element.js";
import { attempt, confirmed } from "./notices.js";

export class Sidebar {
  #list;
  #hooks;
  #current = null;
  #all = [];

  /** @param hooks `open(id)`, null for a new one; `renamed()`. */
  constructor(list, hooks) {
    this.#list = list;
    this.#hooks = hooks;
  }

  /** Load the list again. */
  async refresh() {
    this.#all = await conversation.list();
    this.#draw();
  }

  /** Mark a conversation as the one that is shown. */
  mark(id) {
    this.#current = id;
    this.#draw();
  }

  /** The title of a conversation. */
  title(id) {
    return this.#all.find((one) => one.id === id)?.title ?? "";
  }

  /** Whether there is such a conversation. */
  has(id) {
    return this.#all.some((one) => one.id === id);
  }

  #draw() {
    const rows = this.#all.map((one) => this.#row(one));
    this.#list.replaceChildren(
      rows.length
        ? element("ul", {}, ...rows)
        : element("p", { class: "muted small" }, "Your conversations will appear here."),
    );
  }

  #row(one) {
    const current = one.id === this.#current;
    const name = one.title || "Untitled";
    const open = element(
      "button",
      {
        type: "button",
        class: "conversation",
        "data-id": one.id,
        "aria-current": current ? "true" : null,
        on: { click: () => this.#hooks.open(one.id) },
      },
      name,
      one.kept ? null : element("span", { class: "muted small" }, " · not kept"),
    );
    const row = element(
      "li",
      {},
      open,
      element(
        "span",
        { class: "row-tools" },
        button(`Rename ${name}`, () => this.#rename(row, one), { picture: "edit", quiet: true }),
        button(`Delete ${name}`, () => this.#remove(one), { picture: "trash", quiet: true }),
      ),
    );
    return row;
  }

  #rename(row, one) {
    const field = element("input", {
      type: "text",
      "aria-label": "Title",
      autocomplete: "off",
      spellcheck: "false",
    });
    field.value = one.title;
    let done = false;
    const end = (keep) => {
      if (done) return;
      done = true;
      const title = field.value.trim();
      if (!keep || title === "" || title === one.title) return this.#draw();
      return attempt(async () => {
        await conversation.rename(one.id, title);
        await this.refresh();
        if (one.id === this.#current) this.#hooks.renamed();
      });
    };
    field.addEventListener("blur", () => end(true));
    field.addEventListener("keydown", async (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.stopPropagation(); // Esc ends this alone
      await end(event.key === "Enter");
      this.#list.querySelector(`[data-id="${one.id}"]`)?.focus();
    });
    row.replaceChildren(field);
    field.select();
  }

  async #remove(one) {
    const sure = await confirmed(
      "Delete this conversation?",
      "Its questions, answers and ledger are removed from this device.",
      "Delete",
    );
    if (!sure) return;
    await attempt(async () => {
      if (one.id === this.#current) await this.#hooks.open(null);
      await conversation.remove(one.id);
      await this.refresh();
    });
  }
}
