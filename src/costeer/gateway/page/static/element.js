/** Builds elements. Text is always set as text: only answer.js sets HTML, the server's. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Build an element.
 * @param {string} tag
 * @param {Object} attributes  `on` holds listeners; true and false set or leave out an attribute.
 * @param {...(Node|string|null|undefined|false)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") listen(made, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value);
  }
  made.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return made;
}

function listen(target, listeners) {
  for (const [event, listener] of Object.entries(listeners))
    target.addEventListener(event, listener);
}

/** An icon of the sprite in index.html; decoration, so that its button needs a name. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  drawing.append(use);
  return drawing;
}

/** A button with an icon and a name that is shown, or only spoken and shown as a hint. */
export function button(
  name,
  press,
  { picture = null, quiet = false, style = "text-button", ...rest } = {},
) {
  return element(
    "button",
    {
      type: "button",
      class: quiet ? "icon-button" : style,
      "aria-label": quiet ? name : null,
      title: quiet ? name : null,
      on: { click: press },
      ...rest,
    },
    picture && icon(picture),
    !quiet && element("span", {}, name),
  );
}

/** The element with this id of index.html. */
export function byId(id) {
  return document.getElementById(id);
}

/** "1 record", "3 records". */
export function count(n, noun) {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/** 13800 as "13.8 kB". */
export function bytes(n) {
  if (n < 1000) return `${n} bytes`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}
