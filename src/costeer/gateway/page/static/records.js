/** The records of the profile, as requests. Shows nothing. */

import { request } from "./api.js";

const path = (id) => `/app/records/${encodeURIComponent(id)}`;

export const KINDS = { preference: "Preference", fact: "Fact", sample: "How I write", document: "Document" };

export const search = async (query) =>
  (await request("GET", `/app/records?q=${encodeURIComponent(query)}`)).records;
export const add = (kind, text) => request("POST", "/app/records", { kind, text });
export const change = (id, changes) => request("PATCH", path(id), changes);
export const remove = (id) => request("DELETE", path(id));
