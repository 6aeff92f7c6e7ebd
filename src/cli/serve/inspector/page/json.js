// JSON in colours.

import { el } from "./dom.js";

const PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

// More than this is shown without colours: each is an element.
const MOST = 200000;

export function code(text, label) {
  const pre = el("pre", { class: "code", tabindex: "0", role: "group", "aria-label": label });
  if (text.length > MOST || !/^\s*[{[]/.test(text)) {
    pre.append(text);
    return pre;
  }
  let last = 0;
  for (const match of text.matchAll(PARTS)) {
    const [whole, string, colon, number] = match;
    if (match.index > last) pre.append(text.slice(last, match.index));
    last = match.index + whole.length;
    if (string && colon) pre.append(el("span", { class: "name" }, string), colon);
    else pre.append(el("span", { class: string ? "text" : number ? "number" : "word" }, whole));
  }
  pre.append(text.slice(last));
  return pre;
}
