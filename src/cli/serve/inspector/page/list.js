// The list of requests, the newest first: a listbox whose focus stays on the list while arrow keys choose.

import { byId, el, replace } from "./dom.js";
import { clock, count, size, status, time } from "./format.js";

export class List {
  // `choose(number, byHand)` is called when another request is selected.
  constructor(choose) {
    this.choose = choose;
    this.requests = new Map();
    this.rows = new Map();
    this.selected = null;
    this.kept = 200;
    this.box = byId("list");
    this.filter = byId("filter");
    this.follow = byId("follow");
    this.filter.addEventListener("input", () => this.show());
    this.follow.addEventListener("change", () => this.follow.checked && this.select(this.visible()[0], false));
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.select(Number(row.dataset.number), true);
    });
  }

  // Takes over changes; returns the numbers that are new.
  update(requests) {
    const fresh = requests.filter((request) => !this.requests.has(request.number)).map((request) => request.number);
    for (const request of requests) {
      this.requests.set(request.number, request);
      const row = this.row(request);
      const old = this.rows.get(request.number);
      this.rows.set(request.number, row);
      old?.replaceWith(row);
    }
    const numbers = [...this.requests.keys()].sort((a, b) => a - b);
    for (const number of numbers.slice(0, Math.max(0, numbers.length - this.kept))) {
      this.requests.delete(number);
      this.rows.get(number).remove();
      this.rows.delete(number);
    }
    this.show();
    if (this.follow.checked && fresh.length > 0) this.select(this.visible()[0], false);
    return fresh;
  }

  show() {
    const numbers = [...this.rows.keys()].sort((a, b) => b - a);
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    numbers.forEach((number, at) => {
      const row = this.rows.get(number);
      if (this.box.children[at] !== row) this.box.insertBefore(row, this.box.children[at] ?? null);
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
      if (!row.hidden) shown += 1;
    });
    const total = numbers.length;
    byId("count").textContent = shown < total ? `${shown} of ${count(total, "request")}` : total ? count(total, "request") : "";
    byId("empty").hidden = total > 0;
    this.box.hidden = total === 0;
    this.mark();
  }

  visible() {
    return [...this.box.children].filter((row) => !row.hidden).map((row) => Number(row.dataset.number));
  }

  row(request) {
    const { text, kind, words } = status(request);
    const trouble = request.trouble && kind !== "bad";
    const facts = [`#${request.number}`, request.front_end, request.bytes === null ? null : size(request.bytes),
      request.cold ? "cold start" : null].filter(Boolean);
    const name = [`Request ${request.number}`, `${request.method} ${request.target}`, words, time(request.ms), ...facts.slice(1)];
    return el("li", {
      role: "option", id: `request-${request.number}`, "aria-label": name.filter(Boolean).join(", "),
      "aria-selected": "false", "data-number": request.number,
      "data-words": [request.method, request.target, request.status ?? "", request.front_end, request.cold ? "cold" : "",
        `#${request.number}`, request.state].join(" ").toLowerCase(),
    },
    el("span", { class: `chip ${kind}`, title: words }, text),
    el("span", { class: "what" },
      el("span", { class: "method" }, request.method), " ",
      el("span", { class: "target", title: request.target }, request.target)),
    el("span", { class: "ms" }, trouble ? el("span", { class: "mark", title: "Something went wrong" }, "! ") : null, time(request.ms)),
    el("span", { class: "facts" }, facts.map((fact) => el("span", null, fact)), el("time", null, clock(request.received))));
  }

  select(number, byHand) {
    if (number === undefined || number === this.selected) return;
    this.selected = number;
    if (byHand) this.follow.checked = number === this.visible()[0] && this.follow.checked;
    this.mark();
    this.choose(number, byHand);
  }

  mark() {
    for (const [number, row] of this.rows) row.setAttribute("aria-selected", String(number === this.selected));
    const row = this.rows.get(this.selected);
    if (row && !row.hidden) {
      this.box.setAttribute("aria-activedescendant", row.id);
      reveal(row, this.box);
    } else {
      this.box.removeAttribute("aria-activedescendant");
    }
  }

  key(event) {
    const numbers = this.visible();
    const at = numbers.indexOf(this.selected);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: numbers.length - 1, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      document.body.classList.add("showing");
      byId("detail").focus();
    } else if (to !== undefined && numbers.length > 0) {
      event.preventDefault();
      this.select(numbers[Math.min(Math.max(to, 0), numbers.length - 1)], true);
    }
  }
}

// Scrolls the list as far as the row needs. scrollIntoView() would also make the row the place that Tab starts from, as in
// Chromium 150, and the first Tab would no longer reach the link "Skip to the request".
function reveal(row, box) {
  const [{ top, bottom }, sight] = [row, box].map((element) => element.getBoundingClientRect());
  box.scrollTop += Math.min(top - sight.top, 0) + Math.max(bottom - sight.bottom, 0);
}

// What is shown before the first request.
export function invite(urls) {
  replace(byId("empty"),
    el("p", null, "No request yet."),
    urls.length > 0 ? [
      el("p", null, "Open your application, or send it a request:"),
      el("pre", { class: "code" }, `curl ${urls[0]}/`),
    ] : null);
}
