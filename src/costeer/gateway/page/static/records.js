/** The records of the profile, as requests. Shows nothing. */

import { request } from "./api.js";

const path = (id) => `/app/records/${encodeURIComponent(id)}`;

export const KINDS = {
  preference: "Preference",
  fact: "Fact",
  sample: "How I write",
  document: "Document",
};

/** @returns `records`, a part of them from `offset` on, and the `total` of the profile. */
export const search = (query, offset = 0) =>
  request("GET", `/app/records?q=${encodeURIComponent(query)}&offset=${offset}`);
export const add = (kind, text) => request("POST", "/app/records", { kind, text });
export const change = (id, changes) => request("PATCH", path(id), changes);
export const remove = (id) => request("DELETE", path(id));
