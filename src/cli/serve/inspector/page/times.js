// The picture of where the time went. Each span is a row of a table with its name and its numbers, so that the picture
// has its text beside it; the bars alone are hidden from readers of the screen.

import { el, svg, table } from "./dom.js";
import { count, size, time } from "./format.js";

const WORDS = {
  "front end": ["Front end", "It answered by itself"],
  waiting: ["Waiting", "For a sandbox"],
  init: ["Init", "The sandbox starts"],
  imports: ["Imports", "The application is imported"],
  application: ["Application", "Until the first byte of its response"],
  response: ["Response", "Until the client has its last byte"],
};

export function picture(request) {
  const { spans, chunks, total } = request.times;
  const last = Math.max(total ?? 0, ...spans.map((span) => span.end ?? span.start), ...chunks.map(([at]) => at), 0.001);
  const rows = spans.map((span) => {
    const [name, words] = WORDS[span.name];
    const end = span.end ?? last;
    return [
      el("span", { title: words }, name),
      bar(span, end, last, span.name === "response" ? chunks : []),
      span.end === null ? "not yet" : time(end - span.start),
      el("span", { class: "words" }, words),
    ];
  });
  rows.push({ class: "total", cells: ["Total", "", total === null ? "not yet" : time(total), ""] });
  return [table("Where the time went", ["Phase", "Picture", "Time", "What it is"], rows, { class: "times" }), pieces(chunks)];
}

// Drawn in thousandths of the whole, and stretched.
function bar(span, end, last, chunks) {
  const x = (ms) => (ms / last) * 1000;
  const width = Math.max(x(end) - x(span.start), 3);
  return svg("svg", { class: `bar ${span.name}`, viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "whole", x: 0, y: 0, width: 1000, height: 10 }),
    svg("rect", { class: span.end === null ? "open" : "span", x: Math.min(x(span.start), 997), y: 0, width, height: 10 }),
    chunks.map(([at]) => svg("rect", { class: "chunk", x: Math.min(x(at), 998), y: 0, width: 2, height: 10 })));
}

function pieces(chunks) {
  if (chunks.length === 0) return null;
  const bytes = chunks.reduce((sum, [, length]) => sum + length, 0);
  const [first, last] = [chunks[0][0], chunks[chunks.length - 1][0]];
  return el("details", { class: "chunks" },
    el("summary", null, `${count(chunks.length, "chunk")}, ${size(bytes)}: the first after ${time(first)}, the last after ${time(last)}`),
    table("Chunks", ["Chunk", "After", "Bytes"], chunks.map(([at, length], number) => [String(number + 1), time(at), size(length)]),
      { class: "pairs" }));
}
