// Numbers for people.

export function time(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
}

export function size(bytes) {
  if (bytes === null || bytes === undefined) return "";
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

export function clock(ms) {
  const date = new Date(ms);
  const two = (number) => String(number).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function count(number, one, many = `${one}s`) {
  return number === 1 ? `1 ${one}` : `${number} ${many}`;
}

// How a request stands, in a word, and the kind that gives it its colour.
export function status(request) {
  if (request.state === "cut") return { text: request.status ? `${request.status}` : "cut", kind: "bad", words: "cut off" };
  if (request.status) {
    const kind = ["", "", "good", "moved", "warn", "bad"][Math.floor(request.status / 100)] ?? "";
    return { text: `${request.status}`, kind, words: `status ${request.status}` };
  }
  if (request.state === "done") return { text: "none", kind: "bad", words: "no response" };
  return { text: "···", kind: "open", words: request.state };
}
