// One request through several front ends, side by side.

import { json } from "./api.js";
import { el, replace, table, tabs } from "./dom.js";
import { count, status, time } from "./format.js";

let tab = "response";

export async function comparison(numbers, secrets, back) {
  const query = `of=${numbers.join(",")}${secrets ? "&secrets=shown" : ""}`;
  const form = await json(`/comparison?${query}`);
  const [{ method, target }] = form.columns;
  const heads = form.columns.map((column) => [
    el("span", null, column.front_end), " ", el("span", { class: `chip ${status(column).kind}` }, status(column).text),
    el("div", { class: "why" }, `#${column.number} · ${time(column.ms)}`),
  ]);
  const differences = (rows) => rows.filter((row) => !row.same && !row.by_chance).length;
  const list = [
    { id: "response", title: "Response", badge: String(differences(form.response)), panel: () => matrix("Response", form.columns, heads, form.response) },
    { id: "environ", title: "Environ", badge: String(differences(form.environ)), panel: () => matrix("Environ", form.columns, heads, form.environ) },
    { id: "event", title: "Event", panel: () => events(form.columns, secrets) },
  ];
  return [
    el("div", { class: "title" },
      el("button", { type: "button", class: "back always", onclick: back }, "← Back"),
      el("h2", null, el("span", { class: "method" }, method), " ", el("span", { class: "target" }, target)),
      el("p", { class: "facts" }, el("span", null, `through ${count(form.columns.length, "front end")}`))),
    tabs("Comparison", list, tab, (id) => {
      tab = id;
    }),
  ];
}

let all = false;

function matrix(name, columns, heads, rows) {
  const isEnviron = name === "Environ";
  const shown = el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": `${name} of each front end` });
  const cell = (row) => (value, at) => {
    const text = value === null ? el("span", { class: "none" }, "not set") : value === "" ? el("span", { class: "none" }, "empty") : el("code", null, value);
    if (isEnviron && !columns[at].has_event) return el("span", { class: "none", title: "The front end has refused the request" }, "–");
    const differs = !row.same && !row.by_chance && value !== row.values[0] && at > 0;
    return differs ? el("mark", null, text) : text;
  };
  const show = () => {
    const list = rows.filter((row) => all || (!row.same && !row.by_chance));
    replace(shown, list.length > 0
      ? table(name, ["", ...heads], list.map((row) => ({
        class: row.same ? "same" : row.by_chance ? "chance" : "changed",
        cells: [row.name, ...row.values.map(cell(row))],
      })), { class: "matrix" })
      : el("p", { class: "none" }, "No difference."));
  };
  show();
  return [
    el("div", { class: "head" },
      el("p", { class: "note" }, `Marked is what differs from ${heads[0][0].textContent}. What differs with every request, as dates and ids, is not counted.`),
      el("label", { class: "switch" }, el("input", {
        type: "checkbox", checked: !all, onchange: (event) => {
          all = !event.target.checked;
          show();
        },
      }), " Differences alone")),
    shown,
  ];
}

function events(columns, secrets) {
  const choice = (label, at) => {
    const select = el("select", { onchange: show }, columns.map((column, index) =>
      el("option", { value: column.number, selected: index === at }, column.front_end)));
    return [el("label", { class: "pick" }, `${label} `, select), select];
  };
  const [left, leftSelect] = choice("Left", 0);
  const [right, rightSelect] = choice("Right", Math.min(1, columns.length - 1));
  const shown = el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Two events line by line" });
  async function show() {
    const lines = await json(`/events?of=${leftSelect.value},${rightSelect.value}${secrets ? "&secrets=shown" : ""}`);
    const name = (select) => select.selectedOptions[0].textContent;
    const side = (text) => el("code", null, text ?? "");
    replace(shown, el("table", { class: "lines" },
      el("caption", { class: "unseen" }, `The events of ${name(leftSelect)} and ${name(rightSelect)}`),
      el("thead", null, el("tr", null, el("th", { scope: "col" }, name(leftSelect)), el("th", { scope: "col" }, name(rightSelect)))),
      el("tbody", null, lines.map(([kind, one, other]) => el("tr", { class: kind },
        el("td", { class: one === null ? "gap" : "" }, side(one)), el("td", { class: other === null ? "gap" : "" }, side(other)))))));
  }
  show();
  return [el("div", { class: "head" }, left, right), shown];
}
