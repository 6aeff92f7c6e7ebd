// Every visible text whose contrast with what is behind it is below WCAG's AA: [text, ratio, colour, ground].
const parse = (colour) => {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return { red, green, blue, alpha };
};
const over = (top, below) => {
  const mix = (name) => top[name] * top.alpha + below[name] * (1 - top.alpha);
  return { red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1 };
};
const ground = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const layer = parse(getComputedStyle(at).backgroundColor);
    layers.push(layer);
    if (layer.alpha === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), { red: 255, green: 255, blue: 255, alpha: 1 });
};
const light = ({ red, green, blue }) => {
  const linear = [red, green, blue].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const bad = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const text = texts.currentNode.textContent.trim();
  const element = texts.currentNode.parentElement;
  if (!text || element.closest(".unseen, .skip, noscript, script, :disabled") || !element.checkVisibility()) continue;
  const behind = ground(element);
  const colour = over(parse(getComputedStyle(element).color), behind);
  const [high, low] = [light(colour), light(behind)].sort((a, b) => b - a);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < 4.5) bad.push([text.slice(0, 40), ratio.toFixed(2), getComputedStyle(element).color, JSON.stringify(behind)]);
}
return bad;
