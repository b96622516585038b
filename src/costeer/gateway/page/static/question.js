/** A question of the conversation: shown, copied, edited. */

import { branches, copyButton } from "./branches.js";
import { button, element } from "./element.js";

export class Question {
  message;
  #actions;

  /** @param actions `edit(message, text)`, `go(id)`. */
  constructor(message, actions) {
    this.#actions = actions;
    this.element = element("article", { class: "question", "aria-label": "You" });
    this.update(message);
  }

  get id() {
    return this.message.id;
  }

  /** Show what the server keeps of it. */
  update(message) {
    this.message = message;
    const known = message.id !== null;
    this.element.replaceChildren(
      element("div", { class: "bubble" }, message.text),
      element(
        "div",
        { class: "tools" },
        known && branches(message, this.#actions.go),
        copyButton(() => message.text),
        (known || message.failed) &&
          button("Edit", () => this.#edit(), { picture: "edit", quiet: true }),
      ),
    );
  }

  #edit() {
    const text = element("textarea", {
      "aria-label": "Your question",
      rows: "3",
      spellcheck: "false",
      autocomplete: "off",
    });
    const cancel = () => {
      this.update(this.message);
      this.element.querySelector(".tools > :last-child").focus();
    };
    const save = (event) => {
      event.preventDefault();
      const wanted = text.value.trim();
      if (wanted === "" || wanted === this.message.text) return cancel();
      this.#actions.edit(this.message, wanted);
    };
    const form = element(
      "form",
      {
        class: "edit",
        on: { submit: save, keydown: (event) => event.key === "Escape" && cancel() },
      },
      text,
      element(
        "div",
        { class: "buttons" },
        button("Cancel", cancel, { style: "plain-button" }),
        element("button", { type: "submit", class: "primary-button" }, "Ask again"),
      ),
    );
    this.element.replaceChildren(form);
    text.value = this.message.text;
    text.focus();
  }
}
