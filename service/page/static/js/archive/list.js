// The list of series: searched, sorted and grouped, as a tree that shows what is in view.

import { byId, el, plural } from "../dom.js";
import { thumbnailUrl } from "./requests.js";
import { groupKeys, matching, rowsOf, seriesKey } from "./rows.js";
import { Tree } from "./tree.js";
import { wordsOf } from "./words.js";

const HEIGHTS_PX = { patient: 34, study: 34, series: 58 };
const THUMBNAIL_PX = 64;

/** Show the archive's series; returns the tree. */
export function installList({ archive }) {
  const closed = new Set();
  const tree = new Tree(byId("series"), {
    heightOf: ({ kind }) => HEIGHTS_PX[kind] ?? HEIGHTS_PX.series,
    textOf,
    draw,
    fill,
  });

  function show() {
    const found = matching(archive.series, byId("series-text").value);
    tree.show(rowsOf(found, { order: byId("series-order").value, group: byId("series-group").value, closed }));
    byId("series-count").textContent = countText(found, archive.series);
    byId("empty-archive").hidden = archive.series.length > 0;
    byId("no-series").hidden = found.length > 0 || !archive.series.length;
    byId("series-controls").hidden = archive.series.length === 0;
    byId("series").hidden = found.length === 0;
  }

  function mark() {
    const { marked } = archive;
    if (marked && groupKeys(marked).some((key) => closed.delete(key))) show();
    tree.mark(marked && seriesKey(marked));
  }

  byId("series-text").addEventListener("input", show);
  for (const id of ["series-order", "series-group"]) byId(id).addEventListener("change", show);
  byId("series-text").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    byId("series").focus();
  });
  archive.addEventListener("listed", show);
  archive.addEventListener("marked", mark);
  tree.addEventListener("choose", ({ detail: row }) => archive.choose(row.series[0]));
  tree.addEventListener("toggle", ({ detail: { key } }) => {
    if (!closed.delete(key)) closed.add(key);
    show();
  });
  return tree;
}

/** How many series are listed, and how many frames they have. */
export function countText(found, all) {
  if (!all.length) return "";
  const frames = found.reduce((sum, series) => sum + series.frames, 0);
  const some = found.length === all.length ? "" : `${found.length.toLocaleString("en")} of `;
  return `${some}${all.length.toLocaleString("en")} series, ${plural(frames, "frame")}`;
}

function textOf(row) {
  const { name, detail } = wordsOf(row);
  return `${name}, ${detail}`;
}

function draw(row) {
  const { name, brief } = wordsOf(row);
  const texts = el(
    "span",
    { className: "row-text", title: textOf(row) },
    el("span", { className: "row-name", textContent: name }),
    el("span", { className: "row-detail", textContent: brief }),
  );
  if (row.kind !== "series") return [el("span", { className: "row-sign", "aria-hidden": "true" }), texts];
  return [el("span", { className: "row-picture", "aria-hidden": "true" }), texts];
}

/** Ask for the picture of a series that has stayed in view. */
function fill(item, row) {
  const place = item.querySelector(".row-picture");
  if (!place || place.firstChild || row.series[0].isReplaced) return;
  const picture = el("img", { alt: "", decoding: "async", src: thumbnailUrl(row.series[0], THUMBNAIL_PX) });
  picture.addEventListener("error", () => picture.remove());
  place.append(picture);
}
