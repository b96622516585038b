/** The slider: how much of the person goes into the answer. Takes effect in the next word. */

import { element } from "./element.js";

const MEANING = {
  off: "the cloud’s own words",
  gentle: "a little of you",
  auto: "as much as the word asks for",
  strong: "more of you, and more of your profile shows",
};

export class Strength {
  /** What the person chose; null while they leave it to the gateway. */
  value = null;
  #names = [];
  #slider;
  #output = element("output", { class: "strength-value" });

  /** @param change called with the new name. */
  constructor(change) {
    this.#slider = element("input", {
      type: "range",
      id: "strength",
      class: "slider",
      min: "0",
      step: "1",
      on: { input: () => this.#moved(change) },
    });
    this.element = element(
      "div",
      { class: "strength" },
      element("label", { for: "strength" }, "Strength"),
      this.#slider,
      this.#output,
    );
  }

  /** Offer these names; `usual` is the gateway's own, a name or a number. */
  offer(names, usual) {
    this.#names = names;
    this.#slider.max = String(names.length - 1);
    const at = names.includes(usual) ? usual : "auto";
    this.#slider.value = String(Math.max(names.indexOf(this.value ?? at), 0));
    this.#tell(this.value ?? String(usual));
  }

  /** The name that is shown. */
  get shown() {
    return this.#output.textContent;
  }

  #moved(change) {
    this.value = this.#names[Number(this.#slider.value)];
    this.#tell(this.value);
    change(this.value);
  }

  #tell(name) {
    this.#output.textContent = name;
    this.#slider.setAttribute(
      "aria-valuetext",
      name in MEANING ? `${name}: ${MEANING[name]}` : name,
    );
    this.element.title = MEANING[name] ?? "";
  }
}
