/** Reads event streams: one JSON object in each `data:` line; other lines are pings. */

import { ApiError, send } from "./api.js";

/**
 * Ask, and yield the events of the answer as they come.
 * Throws an ApiError if the question is refused, if the answer fails, or if it breaks off.
 */
export async function* events(path, body, signal) {
  const response = await send("POST", path, body, signal);
  for await (const line of lines(response.body)) {
    if (!line.startsWith("data: ")) continue;
    const event = JSON.parse(line.slice("data: ".length));
    if (event.type === "error") throw new ApiError(200, event.error, event.message);
    yield event;
    if (event.type === "end") return;
  }
  throw new ApiError(0, { message: "The answer broke off." });
}

/** What browsers say of a connection that was cut ("network error") helps nobody. */
function breakOff(error) {
  if (error.name === "AbortError") throw error;
  const message = "The answer broke off. Is the gateway on this device still running?";
  throw new ApiError(0, { message });
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(breakOff);
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      yield* parts;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
