// What the pages of operations have in common.

import { clearProblem, el, say, showProblem } from "../dom.js";

/** Run what fills a page, or what the user asks for; an error is shown on the page. */
export async function guarded(action) {
  clearProblem();
  try {
    await action();
  } catch (problem) {
    showProblem(problem);
  }
}

let isRenewed = true;

/** Run what renews a page by itself: of problems that are shown, only one of renewing is taken away. */
export async function renewed(action) {
  try {
    await action();
    if (!isRenewed) clearProblem();
    isRenewed = true;
  } catch (problem) {
    showProblem(problem);
    isRenewed = false;
  }
}

/** Fill a page once it is loaded. */
export function start(fill) {
  return guarded(async () => {
    await fill();
    say("");
  });
}

/** A table: `columns` are [title, cell of a row, class], where the class may be "number" or "time". */
export function table(caption, columns, rows) {
  const heads = columns.map(([title, , kind]) => el("th", { scope: "col", className: kind ?? "", textContent: title }));
  const lines = rows.map((row) => el("tr", {}, ...columns.map(([, cell, kind]) => cellOf(cell(row), kind))));
  const head = el("thead", {}, el("tr", {}, ...heads));
  const whole = el("table", {}, el("caption", { className: "visually-hidden", textContent: caption }), head);
  whole.append(el("tbody", {}, ...lines));
  return el("div", { className: "table-scroll", tabIndex: 0, role: "region", "aria-label": caption }, whole);
}

function cellOf(shown, kind = "") {
  return el("td", { className: kind }, shown ?? "–");
}

/** A time of an answer as this browser writes times; "never" for null. */
export const timeText = (time) =>
  time ? new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "never";

export const number = (value) => value.toLocaleString("en");
