/** Before sending: values of the person that would go up as they are, and what they decide. */

import * as conversation from "./conversation.js";
import { button, byId, element } from "./element.js";

const STAND_IN = "stand-in";
const AS_IT_IS = "off";

/** What the person has decided in one conversation. */
export class Decisions {
  #accepted = new Set();

  /** Another conversation: nothing is decided. */
  forget() {
    this.#accepted.clear();
  }

  /** Whether a value is sent as it is without another question. */
  accepts(text) {
    return this.#accepted.has(text);
  }

  /**
   * Ask about the values that a question would send as they are, if there are any.
   * @param id of the conversation, or null; @param body of the question; @param options beside it.
   * @returns {Promise<Object|null>} the body with the decision; null to send nothing.
   */
  async take(id, body, options) {
    // What is wrong with a question is said where it is asked.
    const values = await conversation.exposed(id, { ...body, ...options }).catch(() => []);
    if (values.length === 0) return body;
    const known = values.every(({ text }) => this.accepts(text));
    const guard = known ? AS_IT_IS : await decide(values);
    if (guard === AS_IT_IS) for (const { text } of values) this.#accepted.add(text);
    return guard === null ? null : { ...body, guard };
  }
}

/** “Maren” (name), “Zork” (name) */
export const named = (values) => values.map(({ text, kind }) => `“${text}” (${kind})`);

/**
 * Ask what is to be sent in place of values.
 * @param values `{text, kind, asked}`: `asked` where it stands in the question, else it stands in an
 *   earlier message.
 * @returns {Promise<string|null>} the guard of the answer; null to send nothing.
 */
function decide(values) {
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    const choose = (name, guard, style) =>
      button(name, () => dialog.close(guard), { style, autofocus: guard === STAND_IN });
    dialog.replaceChildren(
      element("h2", { id: "confirm-title" }, "Before sending"),
      element(
        "div",
        { id: "confirm-text" },
        part("Your question contains:", values.filter((value) => value.asked)),
        part("Earlier messages contain:", values.filter((value) => !value.asked)),
        element(
          "p",
          { class: "muted small" },
          "A stand-in is another value of the same kind. It is sent in place of yours for the rest " +
            "of this conversation; what you see has your own.",
        ),
      ),
      element(
        "div",
        { class: "buttons" },
        choose("Cancel", "", "plain-button"),
        choose("Send as it is", AS_IT_IS, "plain-button"),
        choose("Send a stand-in instead", STAND_IN, "primary-button"),
      ),
    );
    dialog.setAttribute("aria-describedby", "confirm-text");
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        dialog.removeAttribute("aria-describedby");
        resolve(dialog.returnValue || null);
      },
      { once: true },
    );
    dialog.showModal();
  });
}

function part(heading, values) {
  if (values.length === 0) return null;
  const rows = named(values).map((name) => element("li", {}, name));
  return element("div", { class: "exposed" }, element("p", {}, heading), element("ul", {}, ...rows));
}
