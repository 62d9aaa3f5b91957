// Bars, lying, with their names and values: a picture that a screen reader reads as a list.

import { el, svg } from "../dom.js";

const WIDTH = 420;
const LINE = 24;
const NAME = 130;
const VALUE = 70;
const SHOWN_LETTERS = 18;

/** Add up what rows have by name; returns [name, sum] pairs, the largest first. */
export function summed(rows, nameOf, valueOf) {
  const sums = new Map();
  for (const row of rows) sums.set(nameOf(row), (sums.get(nameOf(row)) ?? 0) + valueOf(row));
  return [...sums].sort(([, a], [, b]) => b - a);
}

/** Keep the first pairs, and add up the others under one name. */
export function shortened(pairs, most) {
  if (pairs.length <= most) return pairs;
  const rest = pairs.slice(most - 1);
  return [...pairs.slice(0, most - 1), [`${rest.length} others`, rest.reduce((sum, [, value]) => sum + value, 0)]];
}

/** The months from the first to the last that rows have, with their sums; months without any are 0. */
export function byMonth(rows, dayOf, valueOf) {
  const sums = new Map(summed(rows.filter(dayOf), (row) => dayOf(row).slice(0, 7), valueOf));
  const months = [...sums.keys()].sort();
  const all = [];
  for (let month = months[0]; month && month <= months.at(-1); month = next(month)) all.push([month, sums.get(month) ?? 0]);
  return all;
}

function next(month) {
  const [year, number] = month.split("-").map(Number);
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
}

/** A chart of [name, value] pairs. */
export function bars(title, pairs) {
  const caption = el("figcaption", { textContent: title });
  if (!pairs.length) return el("figure", { className: "chart" }, caption, el("p", { className: "muted", textContent: "None" }));
  const most = Math.max(1, ...pairs.map(([, value]) => value));
  const told = pairs.map(([name, value]) => `${name} ${value.toLocaleString("en")}`).join(", ");
  const lines = pairs.flatMap((pair, at) => line(pair, at, most));
  const frame = { viewBox: `0 0 ${WIDTH} ${pairs.length * LINE}`, role: "img", "aria-label": told };
  return el("figure", { className: "chart" }, caption, svg("svg", frame, ...lines));
}

function line([name, value], at, most) {
  const middle = at * LINE + LINE / 2;
  const length = ((WIDTH - NAME - VALUE) * value) / most;
  const shown = name.length > SHOWN_LETTERS ? `${name.slice(0, SHOWN_LETTERS - 1)}…` : name;
  const text = { y: middle, "dominant-baseline": "central" };
  return [
    svg("text", { ...text, x: NAME - 8, "text-anchor": "end" }, shown),
    svg("rect", { x: NAME, y: middle - 7, width: Math.max(1, length), height: 14, rx: 3 }),
    svg("text", { ...text, x: NAME + Math.max(1, length) + 6, class: "value" }, value.toLocaleString("en")),
  ];
}
