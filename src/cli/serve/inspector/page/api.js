// The server's side: JSON on demand, and the list as it changes.

const TOKEN = document.querySelector("meta[name=inspector-token]").content;
const HEADERS = { "x-inspector-token": TOKEN };

export class Failed extends Error {}

async function call(path, options) {
  try {
    return await fetch(path, { headers: HEADERS, cache: "no-store", ...options });
  } catch {
    throw new Failed("wsgi-lambda serve does not answer. Does it still run?");
  }
}

async function ask(path, options) {
  const response = await call(path, options);
  if (!response.ok) throw new Failed((await response.text()).trim());
  return response;
}

export const json = async (path) => (await ask(path)).json();
export const text = async (path) => (await ask(path)).text();
export const post = async (path, signal) => (await ask(path, { method: "POST", signal })).json();

// Invokes the function with an event: { failed, text }. A refusal of the event itself is a `Failed`.
export async function invoke(event) {
  const response = await call("/_events", { method: "POST", body: event });
  const text = await response.text();
  if (!response.ok) throw new Failed(text.startsWith("{") ? JSON.parse(text).Message : text.trim());
  return { failed: response.headers.has("x-amz-function-error"), text };
}

// Calls `changed` with lists of requests, for ever, and `state` with "live" or "lost". `fetch` and not EventSource: that
// one cannot send the token in a header.
export async function follow(changed, state) {
  let id = "0";
  let pause = 500;
  for (;;) {
    try {
      const response = await fetch("/changes", { headers: { ...HEADERS, "last-event-id": id }, cache: "no-store" });
      // Another run of `serve` has another token: the page is loaded again, and has it.
      if (response.status === 403) return again();
      if (response.ok) {
        state("live");
        for await (const event of events(response.body)) {
          pause = 500;
          if (event.id) id = event.id;
          if (event.data) changed(JSON.parse(event.data));
        }
      }
    } catch {
      // Said by `state`.
    }
    state("lost");
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 5000);
  }
}

function again() {
  const last = Number(sessionStorage.getItem("reloaded") ?? 0);
  if (Date.now() - last < 10000) return;
  sessionStorage.setItem("reloaded", String(Date.now()));
  location.reload();
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (pending + value).split("\n\n");
    pending = blocks.pop();
    for (const block of blocks) {
      const event = {};
      for (const line of block.split("\n")) {
        const at = line.indexOf(": ");
        if (at > 0) event[line.slice(0, at)] = line.slice(at + 2);
      }
      yield event;
    }
  }
}
