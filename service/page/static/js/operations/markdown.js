// A model's card: the part of Markdown that cards are written in, as elements of the page.

import { el } from "../dom.js";

/** Return the elements of a text: headings, paragraphs, lists, tables. */
export function elementsOf(text) {
  return blocksOf(text).map((lines) => blockOf(lines));
}

/** Split a text into blocks of lines: they end at an empty line, at a heading, and where a list or table begins or ends. */
export function blocksOf(text) {
  const blocks = [];
  let before = "empty";
  for (const line of text.split("\n")) {
    const kind = kindOf(line, before);
    if (kind === "empty") {
      before = kind;
      continue;
    }
    if (kind !== before || kind === "heading") blocks.push([]);
    blocks.at(-1).push(line);
    before = kind;
  }
  return blocks;
}

function kindOf(line, before) {
  if (!line.trim()) return "empty";
  if (/^#{1,4} /.test(line)) return "heading";
  if (/^\|/.test(line)) return "table";
  if (/^[-*] /.test(line) || (before === "list" && /^\s/.test(line))) return "list";
  return "text";
}

function blockOf(lines) {
  const [first] = lines;
  if (/^#/.test(first)) return el("h2", {}, ...spans(first.replace(/^#+ /, "")));
  if (/^\|/.test(first)) return tableOf(lines);
  if (/^[-*] /.test(first)) return el("ul", {}, ...itemsOf(lines).map((item) => el("li", {}, ...spans(item))));
  return el("p", {}, ...spans(lines.join(" ")));
}

function itemsOf(lines) {
  return lines.reduce((items, line) => {
    if (/^[-*] /.test(line)) return [...items, line.slice(2)];
    return [...items.slice(0, -1), `${items.at(-1)} ${line.trim()}`];
  }, []);
}

function tableOf([head, , ...lines]) {
  const cells = (line) => line.replace(/^\||\|\s*$/g, "").split("|").map((cell) => cell.trim());
  const row = (line, tag) => el("tr", {}, ...cells(line).map((cell) => el(tag, {}, ...spans(cell))));
  const body = el("tbody", {}, ...lines.map((line) => row(line, "td")));
  return el("div", { className: "table-scroll" }, el("table", {}, el("thead", {}, row(head, "th")), body));
}

/** Text with its code and its strong words. */
function spans(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => {
    if (part.startsWith("`")) return el("code", { textContent: part.slice(1, -1) });
    if (part.startsWith("**")) return el("strong", { textContent: part.slice(2, -2) });
    return part;
  });
}
