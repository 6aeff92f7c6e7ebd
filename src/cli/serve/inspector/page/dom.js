// Elements. Text goes in as text alone: nothing here, nor anywhere on the page, makes markup of what a request says.

const SVG = "http://www.w3.org/2000/svg";

// el("p", { class: "note", onclick: f }, "text", element): attributes that are null or false are left out.
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  add(element, children);
}

export const byId = (id) => document.getElementById(id);

// A table with a head. Each row is a list of cells, or an object { class, cells }; the first cell of a row is its head.
export function table(caption, head, rows, attributes) {
  const cells = (row) =>
    row.map((cell, at) => (at === 0 ? el("th", { scope: "row" }, cell) : el("td", { "data-label": head[at] }, cell)));
  return el("table", attributes,
    el("caption", { class: "unseen" }, caption),
    el("thead", null, el("tr", null, head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", null, rows.map((row) => {
      const { cells: list, ...rest } = Array.isArray(row) ? { cells: row } : row;
      return el("tr", rest, cells(list));
    })));
}

// A row of tabs: [{ id, title, badge, panel() }]. Arrow keys move between them, as in the ARIA pattern.
export function tabs(name, list, selected, onselect) {
  const chosen = list.find((tab) => tab.id === selected) ?? list[0];
  const buttons = list.map((tab) => el("button", {
    type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": "panel", "aria-selected": String(tab === chosen),
    tabindex: tab === chosen ? "0" : "-1", onclick: () => choose(tab),
  }, tab.title, tab.badge ? el("span", { class: `badge ${tab.kind ?? ""}` }, tab.badge) : null));
  const panel = el("div", { role: "tabpanel", id: "panel", class: "panel", "aria-labelledby": `tab-${chosen.id}`, tabindex: "0" });
  replace(panel, chosen.panel());
  function choose(tab) {
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", String(list[at] === tab));
      button.tabIndex = list[at] === tab ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${tab.id}`);
    replace(panel, tab.panel());
    onselect(tab.id);
  }
  const bar = el("div", { role: "tablist", class: "tabs", "aria-label": name, onkeydown: (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = (to + list.length) % list.length;
    choose(list[next]);
    buttons[next].focus();
  } }, buttons);
  return [bar, panel];
}
