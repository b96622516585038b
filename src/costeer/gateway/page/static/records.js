/** The records of the profile, as requests. Shows nothing. */

import { request } from "./api.js";

const path = (id) => `/app/records/${encodeURIComponent(id)}`;

export const KINDS = {
  preference: "Preference",
  fact: "Fact",
  sample: "How I write",
  document: "Document",
};

/** Kinds of which a record may be sent to the large model with every question. */
export const SENDABLE = ["preference", "fact"];

/** @returns `records`, a part of them from `offset` on, and the `total` of the profile. */
export const search = (query, offset = 0) =>
  request("GET", `/app/records?q=${encodeURIComponent(query)}&offset=${offset}`);
export const add = (kind, text, sent) => request("POST", "/app/records", { kind, text, sent });
export const change = (id, changes) => request("PATCH", path(id), changes);
export const remove = (id) => request("DELETE", path(id));
