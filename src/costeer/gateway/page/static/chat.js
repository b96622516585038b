/**
 * The conversation on the page: asks, shows what comes, keeps to what the gateway has stored.
 * One answer is written at a time; whatever starts another one ends it first.
 */

import { Answer } from "./answer.js";
import { Decisions } from "./before.js";
import * as conversation from "./conversation.js";
import { byId } from "./element.js";
import { attempt, notify } from "./notices.js";
import { Question } from "./question.js";
import { Scroll } from "./scroll.js";
import { words } from "./words.js";

const NEW = { id: null, title: "", messages: [], records: [] };

export class Chat {
  id = null;
  decisions = new Decisions();
  #views = [];
  #records = [];
  #live = null;
  #latest = null;
  #ended = Promise.resolve();
  #hooks;
  #log = byId("log");
  #scroll = new Scroll(byId("scroll"));
  #panel;

  /**
   * @param panel the Panel.
   * @param hooks `busy(bool)`, `changed()`, `shown(conversation)`, `options()` for each question,
   *   `ledger(answer, taken)`.
   */
  constructor(panel, hooks) {
    this.#panel = panel;
    this.#hooks = hooks;
  }

  /** Show a conversation; null for a new one, which begins with its first question. */
  open(id, before = async () => {}) {
    return this.#turn(async () => {
      this.decisions.forget();
      await before();
      this.#show(id === null ? NEW : await conversation.load(id), { anew: true });
    });
  }

  /** Ask a question at the end. @returns {Promise<boolean>} false where the person sends nothing. */
  ask(text) {
    return this.#writing(async (superseded) => {
      const body = await this.#decided({ text });
      if (body === null) return false;
      if (this.id === null) {
        this.id = await conversation.begin();
        this.#hooks.shown({ id: this.id, title: "" });
      }
      if (!superseded()) await this.#write(body, this.#views.length, text);
      return true;
    });
  }

  /** End the answer that is being written, and wait until it is stored. */
  async stop() {
    const live = this.#live;
    if (live === null) return;
    if (live.answer.live === null) live.cancel.abort();
    else await conversation.stop(live.answer.live).catch(() => live.cancel.abort());
    await live.done;
  }

  /** Use another strength from the next word on, if one is being written. */
  steer(strength) {
    const answer = this.#live?.answer.live;
    if (answer) attempt(() => conversation.steer(answer, strength));
  }

  get #actions() {
    return {
      inspect: (answer, index) => this.#inspect(answer, index),
      enterPanel: () => this.#panel.enter(),
      closePanel: () => this.#panel.close(),
      widen: () =>
        this.#log.toggleAttribute("data-wide", this.#log.querySelector(".comparing") !== null),
      follow: () => this.#scroll.follow(),
      edit: (message, text) =>
        attempt(() => this.#again(message, { edit: message.id ?? undefined, text }, text)),
      regenerate: (message) => attempt(() => this.#again(message, { regenerate: message.id })),
      retry: (answer) => attempt(() => this.#retry(answer)),
      alone: (answer, signal) =>
        conversation.ask(this.id, { regenerate: answer.id, alone: true }, signal),
      ledger: (answer) => this.#hooks.ledger(answer, this.#taken(answer)),
      go: (id) => attempt(() => this.#go(id)),
    };
  }

  /** The words that steering took out of the records that were read. */
  #taken(answer) {
    const read = words(this.#records.map((record) => record.text).join("\n"));
    return answer.words.changedWords.filter((word) => read.has(word.toLocaleLowerCase()));
  }

  /** Go to the branch of a message. */
  #go(id) {
    return this.#turn(async () =>
      this.#show(await conversation.switchTo(this.id, id), { anew: true }),
    );
  }

  #show(loaded, { anew }) {
    if (anew) {
      this.#panel.close();
      this.#views = [];
      this.#log.setAttribute("aria-live", "off");
    }
    this.id = loaded.id;
    this.#records = loaded.records ?? [];
    this.#views = loaded.messages.map((message, i) => this.#view(message, this.#views[i]));
    this.#draw();
    this.#hooks.shown(loaded);
    if (anew) this.#scroll.toEnd();
  }

  /** The element of a message: the present one, if it shows that message already. */
  #view(message, present) {
    if (present && present.id === message.id) {
      present.update(message);
      return present;
    }
    const Kind = message.role === "user" ? Question : Answer;
    return new Kind(message, this.#actions);
  }

  #draw() {
    const wanted = this.#views.map((view) => view.element);
    for (const shown of [...this.#log.children]) if (!wanted.includes(shown)) shown.remove();
    wanted.forEach(
      (one, i) =>
        this.#log.children[i] === one || this.#log.insertBefore(one, this.#log.children[i] ?? null),
    );
    this.#actions.widen();
    byId("main").dataset.empty = String(wanted.length === 0);
  }

  /** Ask again from a message on: all that follows it leaves the branch. */
  #again(message, body, text) {
    return this.#writing(async () => {
      const decided = await this.#decided(body);
      if (decided === null) return;
      const { id } = message;
      const at = this.#views.findIndex((one) => (id ? one.id === id : one.message === message));
      await this.#write(decided, at < 0 ? this.#views.length : at, text);
    });
  }

  /** Ask again: what failed without a word has left nothing behind. */
  #retry(answer) {
    return this.#writing(async () => {
      const body = await this.#decided(answer.asked);
      if (body === null) return;
      const at = this.#views.indexOf(answer);
      await this.#write(body, body.text === undefined ? at : at - 1, body.text);
    });
  }

  /** The body of a question with what the person decides about their values; null to send nothing. */
  #decided(body) {
    return this.decisions.take(this.id, body, this.#hooks.options());
  }

  /** Go on from another word: what stands before it is shown at once. */
  #continue(answer, index, token) {
    return this.#writing(async () => {
      if (answer.id === null) return notify("This answer was not kept, so it cannot go on.");
      const seed = answer.words.tokens.slice(0, index);
      const at = this.#views.indexOf(answer);
      const body = { continue: answer.id, position: index, token: token.id };
      return this.#write(body, at, undefined, seed);
    });
  }

  /** One thing at a time, in order: what is being written ends before `work` begins. */
  async #turn(work) {
    const before = this.#ended;
    let end;
    this.#ended = new Promise((resolve) => (end = resolve));
    try {
      await this.stop();
      await before;
      return await work();
    } finally {
      end();
    }
  }

  /** A turn in which something is written; shown as busy from its beginning. */
  async #writing(work) {
    const turn = {};
    this.#latest = turn;
    this.#busy(true);
    try {
      return await this.#turn(() => work(() => this.#latest !== turn));
    } finally {
      if (this.#latest === turn) this.#busy(false);
    }
  }

  /**
   * Ask, and show the answer as it comes.
   * @param body of the request; @param at the place of the first new message.
   * @param text of the question, where it is a new one; @param seed words that stand already.
   */
  async #write(body, at, text, seed = []) {
    const held = document.activeElement;
    const byKeys = held.matches(":focus-visible");
    this.#panel.close();
    this.#log.setAttribute("aria-live", "off");
    this.#views.length = at;
    if (text !== undefined)
      this.#views.push(new Question({ id: null, role: "user", text }, this.#actions));
    const answer = new Answer({ id: null, role: "assistant", text: "" }, this.#actions);
    answer.asked = body;
    seed.forEach((token, i) => answer.add({ ...token, i }));
    answer.wait();
    this.#views.push(answer);
    this.#draw();
    if (byKeys && !(held.isConnected && held.checkVisibility())) byId("question").focus();
    this.#scroll.toEnd();
    await this.#run(answer, body);
  }

  async #run(answer, body) {
    const cancel = new AbortController();
    const running = { answer, cancel };
    running.done = this.#read(answer, body, cancel.signal).finally(() => {
      if (this.#live === running) this.#live = null;
    });
    this.#live = running;
    await running.done;
  }

  async #read(answer, body, signal) {
    try {
      const sent = { ...body, ...this.#hooks.options() };
      for await (const event of conversation.ask(this.id, sent, signal)) this.#take(answer, event);
    } catch (error) {
      answer.fail(
        error.name === "AbortError" ? "Stopped before anything was written." : error.message,
        error.kept,
      );
    }
    if (answer.id === null) return this.#forgetQuestion(answer);
    const have = this.#views.filter((view) => view.words?.tokens.length).map((view) => view.id);
    await attempt(async () => this.#show(await conversation.load(this.id, have), { anew: false }));
    return this.#hooks.changed();
  }

  /** The question of an answer that was not kept is not kept either, if it was new. */
  #forgetQuestion(answer) {
    if (answer.asked.text === undefined) return;
    const question = this.#views[this.#views.indexOf(answer) - 1];
    question?.update({ ...question.message, id: null, failed: true });
  }

  #take(answer, event) {
    if (event.type === "begin") {
      const question = this.#views[this.#views.indexOf(answer) - 1];
      if (question?.id === null) question.update({ ...question.message, id: event.question });
      answer.begin(event);
      this.#hooks.changed();
    }
    if (event.type === "token") answer.add(event);
    if (event.type === "note") answer.note(event.text);
    if (event.type === "warning") answer.warn(event.text);
    if (event.type === "end") {
      this.#log.setAttribute("aria-live", "polite"); // the finished text is announced, once
      answer.end(event);
      this.#scroll.follow();
    }
  }

  #busy(busy) {
    this.#log.setAttribute("aria-busy", String(busy));
    this.#hooks.busy(busy);
  }

  #inspect(answer, index) {
    this.#panel.show({
      view: answer.words,
      index,
      records: this.#records,
      choose: (token) => attempt(() => this.#continue(answer, index, token)),
    });
  }
}
