// What is shown of one request, tab by tab.

import { el, table } from "./dom.js";
import { count, size } from "./format.js";
import { code } from "./json.js";
import { picture } from "./times.js";

const MARKS = { added: "added", changed: "changed", missing: "left out" };

export const mark = (name) => (MARKS[name] ? el("span", { class: `tag ${name}` }, MARKS[name]) : null);

export function section(title, ...content) {
  return el("section", { class: "block" }, el("h3", null, title), content);
}

// A body, with a note if it is not all there.
export function body(form, title) {
  if (!form || form.kind === "empty") return section(title, el("p", { class: "none" }, "Empty."));
  const facts = [size(form.bytes), form.type || null, form.encoding ? `encoded with ${form.encoding}` : null].filter(Boolean);
  const note = form.shown < form.bytes ? `First ${size(form.shown)} of ${size(form.bytes)}.` : null;
  const shown = el("div");
  const show = (pretty) => shown.replaceChildren(code(pretty ? form.pretty : form.text, title));
  show(Boolean(form.pretty));
  return el("section", { class: "block" },
    el("div", { class: "head" },
      el("h3", null, title),
      el("span", { class: "facts" }, facts.map((fact) => el("span", null, fact))),
      form.pretty ? el("label", { class: "switch" },
        el("input", { type: "checkbox", onchange: (event) => show(!event.target.checked) }), " As it came") : null),
    note ? el("p", { class: "note" }, note) : null,
    form.kind === "hex" ? el("p", { class: "note" }, "Not text: shown as bytes.") : null,
    shown);
}

function headers(title, list) {
  if (list.length === 0) return section(title, el("p", { class: "none" }, "None."));
  return section(title, table(title, ["Name", "Value"], list.map(([name, value]) => [name, value]), { class: "pairs" }));
}

export function overview(request) {
  const time = section("Time", picture(request));
  // What went wrong stands in the log.
  return [trouble(request), ...(request.status >= 500 ? [log(request), time] : [time, log(request)]), facts(request)];
}

function trouble(request) {
  if (!request.error && !request.trouble) return null;
  const { error } = request;
  return el("section", { class: "trouble" },
    el("h3", null, error ? error.type || "Error" : "Something went wrong"),
    error ? el("p", { class: "message" }, error.message) : null,
    request.trouble && !(error && request.trouble.includes(error.message)) ? el("p", null, request.trouble) : null,
    error && error.trace.length > 0
      ? el("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Traceback" }, error.trace.join("\n"))
      : null);
}

function facts(request) {
  const { settings } = request;
  const setup = [settings.front_end,
    ["REST API", "HTTP API 1.0", "HTTP API 2.0"].includes(settings.front_end) ? `stage ${settings.stage}` : null,
    settings.base_path ? `base path ${settings.base_path}` : null, settings.domain ? `domain ${settings.domain}` : null,
    settings.streams ? "streams responses" : null];
  const sandbox = request.sandbox === null ? "none" : `${request.sandbox}, ${request.cold ? "a cold start" : "warm"}`;
  const list = [
    ["Front end", setup.filter(Boolean).join(", ")],
    ["Sandbox", sandbox],
    ["Client", request.request.peer],
    ["Received", new Date(request.received).toLocaleString()],
    ["Request id", request.request.id],
    ["Trace id", request.request.trace],
  ];
  return section("Facts", el("dl", { class: "facts-list" },
    list.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value)))));
}

// The colours of a terminal, which are left out.
const COLOURS = /\x1b\[[0-9;]*m/g;

// The runtime's records, and those of Python's logging, begin with their level.
const LEVEL = /^\[(ERROR|CRITICAL|WARNING)\]/;

// On Lambda a record is one line: what would break it is a carriage return there.
const lines = (text) => text.replace(COLOURS, "").replaceAll("\r", "\n");

function log(request) {
  const { lines: written, left_out: leftOut } = request.log;
  if (written.length === 0) return section("Log", el("p", { class: "none" }, "The function wrote nothing."));
  return section("Log",
    leftOut > 0 ? el("p", { class: "note" }, `${count(leftOut, "earlier line")} not shown.`) : null,
    el("pre", { class: "code log", tabindex: "0", role: "group", "aria-label": "Log" },
      written.map(([, text]) => el("span", { class: text.match(LEVEL)?.[1].toLowerCase() ?? null }, `${lines(text)}\n`))));
}

export function client(request) {
  return [
    el("p", { class: "line" }, `${request.method} ${request.target} ${request.request.version}`),
    headers("Headers", request.request.headers),
    body(request.request.body, "Body"),
  ];
}

export function event(request) {
  if (!request.event) return el("p", { class: "none" }, "There is no event: the front end has answered by itself.");
  return [
    el("p", { class: "note" }, `${size(request.event.bytes)}, as ${request.front_end} hands it to the function.`,
      request.event.cut ? ` Cut: ${request.event.cut}.` : ""),
    code(request.event.text, "Event"),
  ];
}

let onlyDifferences = true;

export function environ(request) {
  const { environ: form } = request;
  if (!form) return el("p", { class: "none" }, "There is no environ: the front end has answered by itself.");
  if (form.error) return el("p", { class: "message" }, form.error);
  const shown = el("div");
  const show = () => {
    const rows = form.rows.filter((row) => !onlyDifferences || row.mark !== "same").map(variable);
    shown.replaceChildren(rows.length > 0
      ? table("WSGI variables", ["Variable", "Your application", "gunicorn"], rows, { class: "environ" })
      : el("p", { class: "none" }, "No difference."));
  };
  show();
  return [
    el("div", { class: "head" },
      el("p", { class: "note" }, `${form.differences} of ${form.rows.length} variables differ from what gunicorn makes of the same request.`),
      el("label", { class: "switch" }, el("input", {
        type: "checkbox", checked: onlyDifferences, onchange: (event) => {
          onlyDifferences = event.target.checked;
          show();
        },
      }), " Differences alone")),
    shown,
  ];
}

function variable(row) {
  const value = (text) => (text === null ? el("span", { class: "none" }, "not set")
    : text === "" ? el("span", { class: "none" }, "empty") : el("code", null, text));
  const here = [value(row.here), row.utf8 ? el("div", { class: "why" }, `as UTF-8: ${row.utf8}`) : null];
  if (row.mark === "same") return [row.name, here, el("span", { class: "none" }, "the same")];
  return { class: row.mark, cells: [
    [el("span", null, row.name), " ", mark(row.mark)],
    here,
    [value(row.there), row.why ? el("div", { class: "why" }, row.why) : null],
  ] };
}

const KINDS = {
  envelope: "Envelope", prelude: "Prelude", error: "Error", bytes: "Bytes",
};

export function response(request) {
  return el("div", { class: "two" }, posted(request), sent(request));
}

function posted(request) {
  const form = request.posted;
  const title = el("h2", null, "As the function posted it");
  if (!form) return el("div", { class: "side-by-side" }, title, el("p", { class: "none" }, "It posted nothing."));
  return el("div", { class: "side-by-side" }, title,
    el("p", { class: "note" }, form.streamed ? "Streamed." : `Buffered, ${size(form.bytes)}.`,
      form.document?.cut ? ` Cut: ${form.document.cut}.` : ""),
    form.document ? section(KINDS[form.kind], code(form.document.text, KINDS[form.kind])) : null,
    form.body ? body(form.body, "Bytes") : null,
    form.kind === "prelude" ? el("p", { class: "note" }, "The body follows it, as the client got it.") : null,
    el("details", null, el("summary", null, "Headers of its POST to the Runtime API"),
      table("Headers of the POST", ["Name", "Value"], form.headers, { class: "pairs" })));
}

function sent(request) {
  const form = request.sent;
  const title = el("h2", null, "As the client got it");
  if (!form) return el("div", { class: "side-by-side" }, title, el("p", { class: "none" }, "Nothing yet."));
  const values = (list) => list.map((value) => el("div", null, value));
  const rows = request.headers.map((row) => ({ class: row.mark, cells: [
    [row.name, " ", mark(row.mark)],
    row.mark === "missing" ? el("s", null, values(row.posted)) : [values(row.sent),
      row.mark === "changed" ? el("div", { class: "why" }, `posted: ${row.posted.join(", ")}`) : null],
  ] }));
  return el("div", { class: "side-by-side" }, title,
    el("p", { class: "line" }, `${form.status} ${form.reason ?? ""}`),
    form.whole || request.ms === null ? null : el("p", { class: "message" }, "The connection was cut before the end."),
    section("Headers", rows.length > 0
      ? table("Headers", ["Name", "Value"], rows, { class: "pairs" }) : el("p", { class: "none" }, "None.")),
    body(form.body, "Body"));
}
