/**
 * Requests to the gateway, and the session's token: the only thing that this page stores.
 *
 * The link that opens the page holds a ticket in its fragment, which browsers never send. It is
 * worth a token once, and removed from the address at once.
 */

const TOKEN = "costeer.token";
let sessionLost = () => {};

/** What went wrong, for people; `kept` is the message under which a part of the answer is kept. */
export class ApiError extends Error {
  constructor(status, error, kept = null) {
    super(error?.message ?? "The gateway did not answer as expected.");
    this.status = status;
    this.kept = kept;
  }
}

/** Call `listener` when the token is no longer accepted. */
export function onSessionLost(listener) {
  sessionLost = listener;
}

/** Take the ticket of the address, if there is one. @returns {Promise<boolean>} whether there is a token. */
export async function openSession() {
  const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
  if (ticket !== null) {
    history.replaceState(history.state, "", location.pathname);
    sessionStorage.removeItem(TOKEN);
    const { token } = await request("POST", "/app/session", { ticket });
    sessionStorage.setItem(TOKEN, token);
  }
  return sessionStorage.getItem(TOKEN) !== null;
}

/** One request. @returns {Promise<Object>} the JSON of the response. */
export async function request(method, path, body, signal) {
  return (await send(method, path, body, signal)).json();
}

/** One request. @returns {Promise<Response>} a response of status 200 to 299. */
export async function send(method, path, body, signal) {
  const response = await reach(path, {
    method,
    signal,
    headers: headers(body),
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.ok) return response;
  const problem = new ApiError(response.status, (await response.json().catch(() => ({}))).error);
  if (response.status === 401 && path !== "/app/session") sessionLost(problem);
  throw problem;
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {
      message: "The gateway on this device does not answer. Is it still running?",
    });
  }
}

function headers(body) {
  const token = sessionStorage.getItem(TOKEN);
  return {
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  };
}
