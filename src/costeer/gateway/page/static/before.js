/** Before sending: values of the person that would go up as they are, and what they decide. */

import { button, byId, element } from "./element.js";

export const STAND_IN = "stand-in";
export const AS_IT_IS = "off";

/** “Maren” (name), “Zork” (name) */
export const named = (values) => values.map(({ text, kind }) => `“${text}” (${kind})`);

/**
 * Ask what is to be sent in place of values.
 * @param values `{text, kind, asked}`: `asked` where it stands in the question, else it stands in an
 *   earlier message.
 * @returns {Promise<string|null>} the guard of the answer; null to send nothing.
 */
export function decide(values) {
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    const choose = (name, guard, style) =>
      button(name, () => dialog.close(guard), { style, autofocus: guard === STAND_IN });
    dialog.replaceChildren(
      element("h2", { id: "confirm-title" }, "Before sending"),
      element(
        "div",
        { id: "confirm-text" },
        part("Your question holds:", values.filter((value) => value.asked)),
        part("Earlier messages hold:", values.filter((value) => !value.asked)),
        element(
          "p",
          { class: "muted small" },
          "A stand-in is another value of the same kind. Only it is sent, for the rest of this " +
            "conversation; your own is put back into what you see.",
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
