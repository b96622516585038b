/** What the person is told, at the edge of the page, and questions that need a yes. */

import { button, byId, element } from "./element.js";

/** Show a message until it is closed or the next one comes. */
export function notify(text) {
  const shown = element("div", { class: "notice" }, element("p", {}, text));
  shown.append(button("Close", () => shown.remove(), { picture: "close", quiet: true }));
  byId("notices").replaceChildren(shown);
}

/** Run `work`, and tell the person where it fails. @returns what it returns, or undefined. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    notify(error.message);
    return undefined;
  }
}

/** Ask before something is lost. @returns {Promise<boolean>} */
export function confirmed(title, text, action) {
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    const close = (answer) => () => dialog.close(answer);
    dialog.replaceChildren(
      element("h2", { id: "confirm-title" }, title),
      element("p", {}, text),
      element(
        "div",
        { class: "buttons" },
        button("Cancel", close(""), { style: "plain-button" }),
        button(action, close("yes"), { style: "danger-button" }),
      ),
    );
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}
