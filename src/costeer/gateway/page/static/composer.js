/** The box to write in: Enter sends, Shift+Enter makes a line. */

import { element, icon } from "./element.js";
import { Preview } from "./preview.js";
import { Strength } from "./strength.js";

export class Composer {
  #send;
  #busy = false;
  #hooks;

  /**
   * @param form the element of index.html.
   * @param hooks `ask(text)`, `stop()`, `steer(strength)`, `conversation()`, `accepts(value)`.
   */
  constructor(form, hooks) {
    this.#hooks = hooks;
    this.strength = new Strength((name) => {
      this.preview.know({ off: name === "off" });
      hooks.steer(name);
    });
    this.preview = new Preview(hooks.conversation, hooks.accepts);
    // No spelling service and no memory of forms: some browsers send or store what is typed.
    this.text = element("textarea", {
      id: "question",
      rows: "1",
      placeholder: "Ask for a text, an idea, a plan …",
      "aria-label": "Your question",
      autocomplete: "off",
      spellcheck: "false",
      on: { input: () => this.#typed(), keydown: (event) => this.#key(event) },
    });
    this.#send = element(
      "button",
      {
        type: "submit",
        class: "send",
        "aria-label": "Send",
        // The second click of a double click would stop what the first one has sent.
        on: { click: (event) => event.detail > 1 && event.preventDefault() },
      },
      icon("send"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.replaceChildren(
      this.text,
      this.preview.warning,
      this.preview.element,
      element("div", { class: "bar" }, this.preview.toggle, this.strength.element, this.#send),
    );
    this.#typed();
  }

  /** An answer is being written, or not. */
  set busy(busy) {
    this.#busy = busy;
    this.#send.setAttribute("aria-label", busy ? "Stop" : "Send");
    this.#send.replaceChildren(icon(busy ? "stop" : "send"));
    this.#enable();
  }

  /** Empty the box and put the focus there. */
  clear() {
    this.text.value = "";
    this.#typed();
    this.text.focus();
  }

  /** Put a question back that could not be asked, unless another one is being written. */
  restore(text) {
    if (this.text.value !== "") return;
    this.text.value = text;
    this.#typed();
    this.text.focus();
  }

  #submit() {
    if (this.#busy) return this.#hooks.stop();
    const text = this.text.value.trim();
    if (text === "") return undefined;
    this.preview.fold(false);
    this.clear();
    return this.#hooks.ask(text);
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.#busy) this.#submit();
  }

  #typed() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    this.preview.ask(this.text.value);
    this.#enable();
  }

  #enable() {
    this.#send.disabled = !this.#busy && this.text.value.trim() === "";
  }
}
