// Events that are not HTTP requests, sent to the function as Lambda's Invoke sends them.

import * as api from "./api.js";
import { el, replace } from "./dom.js";

// Opens a dialog with a sample of each source, which can be changed before it is sent.
export async function send() {
  const samples = await api.json("/samples");
  const event = el("textarea", { id: "event", rows: "14", spellcheck: "false", "aria-label": "The event, as JSON" });
  const result = el("pre", { id: "result", role: "status" });
  const choose = ({ target }) => {
    event.value = samples[target.selectedIndex][1];
    replace(result);
  };
  const go = el("button", { type: "button", id: "invoke", onclick: () => invoke(event.value, result, go) }, "Send");
  const dialog = el("dialog", { class: "send", "aria-labelledby": "send-title", onclose: () => dialog.remove() },
    el("h2", { id: "send-title" }, "Send an event"),
    el("p", null, "The function gets it as from a queue, a schedule or a direct invocation. ",
      el("code", null, "WSGI_LAMBDA_EVENT_HANDLER"), " names the function that takes it."),
    el("select", { id: "sample", "aria-label": "A sample event", onchange: choose },
      samples.map(([name]) => el("option", null, name))),
    event,
    el("div", { class: "actions" }, go, el("button", { type: "button", id: "close", onclick: () => dialog.close() }, "Close")),
    result);
  event.value = samples[0][1];
  document.body.append(dialog);
  dialog.showModal();
}

async function invoke(event, result, button) {
  button.disabled = true;
  replace(result, "Sending…");
  try {
    const { failed, text } = await api.invoke(event);
    result.className = failed ? "bad" : "";
    replace(result, failed ? "The function failed:\n" : "The function returned:\n", pretty(text));
  } catch (error) {
    result.className = "bad";
    replace(result, error.message);
  }
  button.disabled = false;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
