/** Puts the page together. */

import { onSessionLost, openSession, request, send } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import * as conversation from "./conversation.js";
import { download } from "./download.js";
import { byId, element, icon } from "./element.js";
import { Ledger } from "./ledger.js";
import { attempt, confirmed, notify } from "./notices.js";
import { Panel } from "./panel.js";
import { Profile } from "./profile.js";
import * as records from "./records.js";
import { Sidebar } from "./sidebar.js";

let state = null;

const chat = new Chat(new Panel(byId("panel")), {
  busy: (busy) => (composer.busy = busy),
  changed: () => attempt(listAgain),
  shown,
  options: () => ({
    ...(composer.strength.value === null ? {} : { strength: composer.strength.value }),
    ...(composer.preview.without.length ? { without: composer.preview.without } : {}),
  }),
  ledger: (answer, taken) => attempt(() => ledger.open(answer.id, taken)),
});
const composer = new Composer(byId("composer"), {
  ask,
  stop: () => attempt(() => chat.stop()),
  steer: (strength) => chat.steer(strength),
  conversation: () => chat.id,
  accepts: (text) => chat.decisions.accepts(text),
});
const sidebar = new Sidebar(byId("list"), { open, renamed: () => title(chat.id) });
const profile = new Profile(byId("profile"), () => {
  composer.preview.ask(composer.text.value);
  attempt(pointAtProfile);
});
const ledger = new Ledger(byId("ledger"));

async function start() {
  onSessionLost(() => gate("This link is no longer valid."));
  try {
    if (!(await openSession())) return gate("This page opens with a link that works once.");
    adopt(await request("GET", "/app/state"));
  } catch (error) {
    return gate(error.message);
  }
  wire();
  await attempt(() => sidebar.refresh());
  await attempt(pointAtProfile);
  await attempt(() => chat.open(remembered()));
  byId("app").hidden = false; // not before: what is typed now is not lost
  composer.clear();
  return undefined;
}

/** What is shown where there is no session: how to get one. */
function gate(text) {
  byId("gate-text").textContent = text;
  byId("gate").hidden = false;
  byId("app").hidden = true;
}

function adopt(fresh) {
  state = fresh;
  composer.strength.offer(state.strengths, state.strength);
  composer.preview.know({ off: composer.strength.shown === "off", file: state.context });
  byId("keep-nothing").checked = !state.keeps;
  byId("keep-nothing").disabled = state.profile === null;
  byId("promise").textContent = promise();
}

/** Where nothing is known of the person, the page says so. */
async function pointAtProfile() {
  byId("first").hidden = state.context || (await records.search("")).total > 0;
}

/** One sentence that says truly what happens. */
function promise() {
  if (state.cloud === null) return "Both models run on this device: nothing is sent.";
  const where = URL.canParse(state.cloud) ? new URL(state.cloud).host : state.cloud;
  return `Your profile stays on this device. Questions, answers and records marked to be sent go to ${where}.`;
}

/** The conversation of before a reload; the browser keeps its number, nothing else. */
function remembered() {
  const id = history.state?.conversation ?? null;
  return sidebar.has(id) ? id : null;
}

function shown({ id, title: name }) {
  history.replaceState({ conversation: id }, "");
  sidebar.mark(id);
  title(id, name);
}

function title(id, name = "") {
  byId("title").textContent = sidebar.title(id) || name || "New conversation";
}

async function listAgain() {
  await sidebar.refresh();
  title(chat.id);
}

async function ask(text) {
  try {
    if (!(await chat.ask(text))) composer.restore(text);
  } catch (error) {
    notify(error.message);
    composer.restore(text);
  }
}

async function open(id, before) {
  showSide(false);
  composer.preview.reset();
  composer.clear();
  await attempt(() => chat.open(id, before));
}

function wire() {
  fill("new", "plus", "New conversation", () => open(null));
  fill("open-profile", "person", "Your profile", () => profile.open(state.profile));
  fill("export", "export", "Export everything", () => attempt(exportAll));
  fill("forget", "trash", "Forget all conversations", () => attempt(forget));
  byId("first-record").addEventListener("click", () => profile.open(state.profile));
  byId("menu").append(icon("menu"));
  byId("side-close").append(icon("close"));
  byId("menu").addEventListener("click", () => showSide(true));
  byId("side-close").addEventListener("click", () => showSide(false));
  byId("scrim").addEventListener("click", () => showSide(false));
  byId("skip").addEventListener("click", () => composer.text.focus());
  byId("keep-nothing").addEventListener("change", (event) =>
    attempt(() => keepNothing(event.target.checked)),
  );
  addEventListener("hashchange", () => location.hash.includes("ticket=") && location.reload());
  document.addEventListener("keydown", (event) => event.key === "Escape" && showSide(false));
}

function fill(id, picture, name, press) {
  byId(id).append(icon(picture), element("span", {}, name));
  byId(id).addEventListener("click", press);
}

/** The list on a narrow screen. */
function showSide(shown) {
  byId("side").classList.toggle("shown", shown);
  byId("scrim").hidden = !shown;
  byId("menu").setAttribute("aria-expanded", String(shown));
  if (shown) byId("side-close").focus();
}

async function keepNothing(nothing) {
  await open(null, async () => adopt(await request("POST", "/app/keep", { keep: !nothing })));
  adopt(state); // the switch shows what is, also where that failed
  await sidebar.refresh();
}

async function forget() {
  const sure = await confirmed(
    "Forget all conversations?",
    "All questions, answers and ledgers are removed from this device. Your profile stays.",
    "Forget all",
  );
  if (!sure) return;
  await open(null);
  await conversation.forgetAll();
  await sidebar.refresh();
}

async function exportAll() {
  download("costeer-export.jsonl", await (await send("GET", "/app/export")).blob());
}

start();
