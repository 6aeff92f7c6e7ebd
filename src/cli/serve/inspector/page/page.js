// The page: the list on one side, the chosen request on the other.

import * as api from "./api.js";
import { comparison } from "./compare.js";
import { byId, el, replace, tabs } from "./dom.js";
import { count, size, status, time } from "./format.js";
import { invite, List } from "./list.js";
import * as panels from "./panels.js";
import { send } from "./send.js";

const detail = byId("detail");
const page = { tab: "overview", secrets: false, shown: null, text: "", asked: 0, frontEnds: [], comparing: false };

const list = new List((number, byHand) => {
  page.comparing = false;
  // The address leads to a request that a person has chosen, not to one that came just then.
  history.replaceState(null, "", byHand ? `#${number}` : "/");
  if (byHand && !matchMedia("(max-width: 760px)").matches) document.body.classList.remove("showing");
  load(number);
});

byId("list").addEventListener("click", (event) => {
  if (event.target.closest("[role=option]")) document.body.classList.add("showing");
});

byId("secrets").addEventListener("click", (event) => {
  page.secrets = !page.secrets;
  event.currentTarget.setAttribute("aria-checked", String(page.secrets));
  say(page.secrets ? "Secrets are shown" : "Secrets are masked");
  if (page.comparing) compare(page.comparing);
  else if (list.selected !== null) load(list.selected);
});

byId("send").addEventListener("click", () => act(send));

const shown = () => (page.secrets ? "?secrets=shown" : "");

// Shows a request. What comes too late, after another was chosen, is dropped.
async function load(number) {
  const asked = (page.asked += 1);
  try {
    const text = await api.text(`/requests/${number}${shown()}`);
    // What has not changed stays as it is: somebody may be at it.
    if (asked !== page.asked || (text === page.text && page.shown === number)) return;
    page.text = text;
    show(JSON.parse(text));
  } catch (error) {
    if (asked === page.asked) replace(detail, el("p", { class: "message" }, error.message));
  }
}

function show(request) {
  const same = page.shown === request.number;
  const focused = same ? document.activeElement?.id : null;
  const scroll = same ? detail.scrollTop : 0;
  page.shown = request.number;
  const differences = request.environ?.differences;
  const tab = (id, title, badge, kind) => ({ id, title, badge, kind, panel: () => panels[id](request) });
  replace(detail, title(request), tabs("What is known of the request", [
    tab("overview", "Overview", request.error || request.trouble ? "!" : null, "bad"),
    tab("client", "Request"),
    tab("event", "Event"),
    tab("environ", "Environ", differences ? String(differences) : null),
    tab("response", "Response"),
  ], page.tab, (id) => {
    page.tab = id;
  }));
  detail.scrollTop = scroll;
  if (focused && focused !== document.activeElement?.id) byId(focused)?.focus({ preventScroll: true });
}

function title(request) {
  const { text, kind } = status(request);
  const has = Boolean(request.event);
  const button = (id, words, onclick, hint, disabled) => el("button", { type: "button", id, onclick, title: hint, disabled }, words);
  return el("div", { class: "title" },
    el("button", { type: "button", class: "back", onclick: leave }, "← Requests"),
    el("h2", null,
      el("span", { class: `chip ${kind}` }, text), " ",
      el("span", { class: "method" }, request.method), " ",
      el("span", { class: "target" }, request.target)),
    el("p", { class: "facts" },
      [`#${request.number}`, request.front_end, time(request.ms), request.bytes === null ? null : size(request.bytes),
        request.cold ? "cold start" : null].filter(Boolean).map((fact) => el("span", null, fact))),
    el("div", { class: "actions", role: "toolbar", "aria-label": "Actions" },
      button("again", "Send again", () => act(() => again(request.number))),
      button("all", "Send through all front ends", () => act(() => everywhere(request.number)), "And compare event, environ and response"),
      button("save", "Save event file", () => act(() => save(request)), "For wsgi-lambda replay", !has),
      button("curl", "Copy as curl", () => act(() => copy(request)))));
}

function leave() {
  document.body.classList.remove("showing");
  byId("list").focus();
}

async function act(action) {
  try {
    await action();
  } catch (error) {
    toast(error.message, true);
  }
}

// The list follows, so that a long response is seen while it comes.
async function again(number) {
  list.follow.checked = true;
  const sent = await api.post(`/requests/${number}/again`);
  toast(`Sent again as #${sent.number}`);
}

// One after the other: sandboxes are few, and an application on one machine has one database. "Stop" hangs up, as a client
// does: a stream may have no end.
async function everywhere(number) {
  const numbers = [];
  const stop = new AbortController();
  list.follow.checked = false;
  try {
    for (const [id, name] of page.frontEnds) {
      toast([`${name}, ${numbers.length + 1} of ${page.frontEnds.length}`,
        el("button", { type: "button", onclick: () => stop.abort() }, "Stop")], false, true);
      const sent = await api.post(`/requests/${number}/again?front_end=${id}`, stop.signal);
      numbers.push(sent.number);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  byId("toast").hidden = true;
  if (numbers.length > 0) await compare(numbers, number);
}

async function compare(numbers, from = list.selected) {
  page.comparing = numbers;
  page.asked += 1;
  const content = await comparison(numbers, page.secrets, () => {
    page.comparing = false;
    load(from);
    detail.focus();
  });
  page.shown = null;
  replace(detail, content);
  detail.scrollTop = 0;
  detail.focus();
  say(`Compared ${count(numbers.length, "front end")}`);
}

async function save(request) {
  const text = await api.text(`/requests/${request.number}/event${shown()}`);
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  el("a", { href: url, download: request.file }).click();
  URL.revokeObjectURL(url);
  toast(`Saved ${request.file}${masked(text)}`);
}

async function copy(request) {
  const text = await api.text(`/requests/${request.number}/curl${shown()}`);
  await toClipboard(text);
  toast(`Copied${masked(text)}`);
}

// Browsers that do not allow the newer way to every page allow the older one.
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = el("textarea", { class: "unseen" });
    box.value = text;
    document.body.append(box);
    box.select();
    const copied = document.execCommand("copy");
    box.remove();
    if (!copied) throw new Error("This browser does not let the page copy.");
  }
}

const masked = (text) => (text.includes("••••••") ? ". Secrets in it are masked: show them first" : "");

let hide;

function toast(text, bad, stays) {
  const box = byId("toast");
  replace(box, text);
  box.className = bad ? "toast bad" : "toast";
  box.hidden = false;
  clearTimeout(hide);
  if (!stays) hide = setTimeout(() => (box.hidden = true), bad ? 12000 : 5000);
}

const say = (text) => (byId("said").textContent = text);

// Many requests in a moment are said once.
let fresh = [];
let saying;

function announce(numbers) {
  fresh.push(...numbers);
  clearTimeout(saying);
  saying = setTimeout(() => {
    const last = list.requests.get(Math.max(...fresh));
    if (fresh.length === 1 && last) say(`${last.method} ${last.target}, ${status(last).words}`);
    else if (fresh.length > 1) say(count(fresh.length, "new request"));
    fresh = [];
  }, 1000);
}

let reload = null;

function changed(requests) {
  const numbers = list.update(requests);
  if (numbers.length > 0) announce(numbers);
  // A request that is new here is being loaded. One that is not may be shown later than this, as it was before.
  const old = requests.some((request) => request.number === list.selected && !numbers.includes(request.number));
  if (old && !page.comparing) {
    // A stream changes with each chunk.
    reload ??= setTimeout(() => {
      reload = null;
      if (!page.comparing) load(list.selected);
    }, 150);
  }
}

function state(name) {
  const box = byId("state");
  if (box.dataset.state === name) return;
  box.dataset.state = name;
  box.querySelector(".words").textContent = name === "live" ? "Live" : "Lost, trying again";
}

async function start() {
  replace(detail, el("div", { class: "empty" }, el("p", null, "Choose a request.")));
  try {
    const about = await api.json("/about");
    page.frontEnds = about.front_ends;
    list.kept = about.kept;
    replace(byId("urls"), about.urls.map((url) => el("a", { href: url, target: "_blank", rel: "noopener" }, url)));
    invite(about.urls);
  } catch (error) {
    toast(error.message, true);
  }
  const wanted = Number(location.hash.slice(1));
  if (wanted > 0) {
    list.follow.checked = false;
    list.select(wanted, true);
  }
  api.follow(changed, state);
}

start();
