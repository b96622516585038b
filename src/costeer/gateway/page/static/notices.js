/** What the person is told, at the edge of the page, and questions that need a yes. */

import { button, byId, element } from "./element.js";

const notices = byId("notices");

/**
 * Show a message until it is closed or the next one comes; in the dialog that is open, if one is,
 * because whatever is outside it is covered, and cannot be pressed or heard.
 */
export function notify(text) {
  const shown = element("div", { class: "notice" }, element("p", {}, text));
  shown.append(button("Close", () => shown.remove(), { picture: "close", quiet: true }));
  ([...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body).append(notices);
  notices.replaceChildren(shown);
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
