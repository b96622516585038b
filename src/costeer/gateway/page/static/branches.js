/** The arrows between the versions of a message: edited questions, other answers. */

import { button, element } from "./element.js";

/** The arrows, or null where there is one version. `go(id)` switches. */
export function branches(message, go) {
  const all = message.siblings ?? [];
  const at = all.indexOf(message.id);
  if (all.length < 2 || at < 0) return null;
  const arrow = (name, picture, to) =>
    button(name, () => go(all[to]), { picture, quiet: true, disabled: all[to] === undefined });
  return element(
    "span",
    { class: "branches", role: "group", "aria-label": `Version ${at + 1} of ${all.length}` },
    arrow("Version before", "left", at - 1),
    element("span", { class: "muted" }, `${at + 1} / ${all.length}`),
    arrow("Version after", "right", at + 1),
  );
}

/** A button that copies a text. */
export function copyButton(text) {
  const made = button("Copy", () => navigator.clipboard.writeText(text()).then(done, () => {}), {
    picture: "copy",
    quiet: true,
  });
  function done() {
    made.setAttribute("aria-label", "Copied");
    setTimeout(() => made.setAttribute("aria-label", "Copy"), 2000);
    made.classList.add("done");
    setTimeout(() => made.classList.remove("done"), 2000);
  }
  return made;
}
