/** What the gateway knows about conversations, as requests. Shows nothing. */

import { request } from "./api.js";
import { events } from "./stream.js";

const path = (id, rest = "") => `/app/conversations/${encodeURIComponent(id)}${rest}`;

/** All, the latest first. */
export const list = async () => (await request("GET", "/app/conversations")).conversations;

/** Begin one. @returns its id. */
export const begin = async () => (await request("POST", "/app/conversations", {})).id;

/**
 * The messages of the current branch and the records that were read.
 * @param have ids of answers whose words are known already, and left out.
 */
export const load = (id, have = []) => request("GET", path(id, have.length ? `?have=${have}` : ""));

export const rename = (id, title) => request("PATCH", path(id), { title });
export const remove = (id) => request("DELETE", path(id));
export const forgetAll = () => request("DELETE", "/app/conversations");

/** Go to the branch of a message. @returns the conversation as `load` does. */
export const switchTo = (id, message) => request("POST", path(id, "/switch"), { message });

/** Ask; the events of the answer. */
export const ask = (id, body, signal) => events(path(id, "/ask"), body, signal);

/** What would be read for a question, and what it holds itself. */
export const preview = (id, text, signal) =>
  request("POST", "/app/preview", { conversation: id, text }, signal);

/** The person's values that a question would send as they are; it is not asked. */
export const exposed = async (id, body) =>
  (await request("POST", "/app/exposed", { conversation: id, ...body })).exposed;

/** End the answer soon; what is written stays. */
export const stop = (answer) =>
  request("POST", `/app/answers/${encodeURIComponent(answer)}/stop`, {});

/** Use another strength from the next word on. */
export const steer = (answer, strength) =>
  request("POST", `/app/answers/${encodeURIComponent(answer)}/strength`, { strength });

/** What left the device for an answer. */
export const ledger = (answer) =>
  request("GET", `/app/messages/${encodeURIComponent(answer)}/ledger`);
