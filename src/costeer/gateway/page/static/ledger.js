/** The ledger of one answer: what left this device, byte for byte, and what stayed. */

import * as conversation from "./conversation.js";
import { download } from "./download.js";
import { button, bytes, count, element } from "./element.js";
import { visible } from "./shade.js";

export class Ledger {
  #dialog;

  /** @param dialog the element of index.html. */
  constructor(dialog) {
    this.#dialog = dialog;
  }

  /** Open it for an answer. @param id of the message; @param taken words out of the records. */
  async open(id, taken) {
    const ledger = await conversation.ledger(id);
    const { departures, stayed } = ledger;
    const up = sum(departures, "bytes_up");
    this.#dialog.replaceChildren(
      element(
        "header",
        { class: "sheet-head" },
        element("h2", { id: "ledger-title" }, "What left this device"),
        button(
          "Save as a file",
          () => download("what-left.json", JSON.stringify(ledger, null, 2)),
          { picture: "export" },
        ),
        button("Close", () => this.#dialog.close(), { picture: "close", quiet: true }),
      ),
      element(
        "dl",
        { class: "figures" },
        figure("Sent", bytes(up), count(departures.length, "request")),
        figure("Came back", bytes(sum(departures, "bytes_down")), "probabilities"),
        figure(
          "Stayed here",
          count(stayed.records, "record"),
          count(stayed.characters, "character"),
        ),
        figure("Words changed", String(ledger.changed), "by your profile"),
      ),
      element("p", {}, story(departures, stayed, ledger.changed)),
      ...(taken.length && departures.length
        ? [element("p", { class: "taken" }, "Words it took from your records: ", ...listed(taken), ".")]
        : []),
      ...(departures.length ? [element("h3", {}, "Each request, as it was sent")] : []),
      element("div", { class: "departures" }, ...departures.map(departure)),
    );
    this.#dialog.showModal();
  }
}

function story(departures, stayed, changed) {
  if (departures.length === 0) return "Nothing was sent for this answer.";
  const read = stayed.records
    ? `What the small model read (${count(stayed.records, "record")}) was not sent. `
    : "";
  const words = changed
    ? `The answer itself was sent, word by word, with the ${count(changed, "word")} that your profile changed: the cloud has read those.`
    : "The answer itself was sent, word by word.";
  return read + words;
}

function listed(words) {
  return words.flatMap((word, i) => [i ? ", " : "", element("strong", {}, word)]);
}

function figure(name, value, more) {
  return element(
    "div",
    {},
    element("dt", {}, name),
    element(
      "dd",
      {},
      element("strong", {}, value),
      element("span", { class: "muted small" }, more),
    ),
  );
}

/** What a request says, for people; null where its body is text already. */
function readable(text) {
  if (text === "") return "No words: this request continues an earlier one.";
  return text?.trim() === "" ? visible(text) : text;
}

function departure(sent, index) {
  const read = readable(sent.text);
  const body = element("pre", { tabindex: "0" }, read ?? sent.body);
  const choice = (name, text) =>
    button(
      name,
      (event) => {
        body.textContent = text;
        for (const one of event.currentTarget.parentNode.children)
          one.setAttribute("aria-pressed", String(one === event.currentTarget));
      },
      { style: "segment", "aria-pressed": String(text === (read ?? sent.body)) },
    );
  return element(
    "details",
    { open: index === 0 },
    element(
      "summary",
      {},
      element("span", {}, `${index + 1}. ${clock(sent.when)} to ${sent.destination}`),
      element(
        "span",
        { class: "muted small" },
        `${bytes(sent.bytes_up)} sent, ${bytes(sent.bytes_down)} came back`,
      ),
    ),
    sent.text === null
      ? null
      : element(
          "div",
          { class: "segments", role: "group", "aria-label": "Show" },
          choice("As text", read),
          choice("As sent", sent.body),
        ),
    body,
  );
}

function clock(when) {
  const time = new Date(when);
  return Number.isNaN(time.getTime()) ? when : time.toLocaleTimeString();
}

function sum(all, name) {
  return all.reduce((total, one) => total + (one[name] ?? 0), 0);
}
