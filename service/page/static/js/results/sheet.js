// A contact sheet: query and hits side by side as one picture, with captions.

import { imageUrl } from "../api.js";
import { byId } from "../dom.js";
import { ink } from "../drawing/inks.js";
import { bits, howOf, numberOf, titleOf, whereOf, whoseOf } from "./facts.js";
import { fastText } from "./thoroughness.js";

const SIDE = 240;
const GAP = 16;
const LINE = 18;
const LINES = 5;
const HEAD = 76;
const COLUMNS = 2;
/** Browsers make no larger pictures of a canvas. */
const MOST_CELLS = 60;
const CELL = { width: 2 * SIDE + GAP, height: SIDE + (LINES + 1) * LINE };

/** How large a sheet of some cells is. */
export function sizeOfSheet(count) {
  const columns = Math.min(COLUMNS, Math.max(1, count));
  const rows = Math.ceil(count / columns);
  return { width: columns * (CELL.width + GAP) + GAP, height: HEAD + rows * (CELL.height + GAP) + GAP };
}

/** Where the cell of a number is, from 0. */
export const cellAt = (number) => ({
  x: GAP + (number % COLUMNS) * (CELL.width + GAP),
  y: HEAD + Math.floor(number / COLUMNS) * (CELL.height + GAP),
});

/** The cards that a sheet has, and how many of them these are, in words; "" where it has all. */
export function cellsOf(cards) {
  const cells = cards.slice(0, MOST_CELLS);
  return { cells, told: cells.length < cards.length ? `the first ${cells.length} of ${cards.length} hits` : "" };
}

/** The lines above the cells: what was searched for, how it was answered, and what to beware of. */
export function headOf(query, answer, day, told) {
  return [
    // A file's name may be a patient's: it does not leave the page.
    [titleOf(query, () => "a file")],
    [`Model ${answer.model}`, day, told],
    ["For research; not a diagnosis", fastText(answer)],
  ].map((parts) => parts.filter(Boolean).join(" · "));
}

/** Draw cards on a canvas, and return it as a PNG; `day` is the date that stands on it. */
export async function sheetOfCards(cards, { query, answer, picture, displayWindow, day }) {
  const canvas = document.createElement("canvas");
  const { cells, told } = cellsOf(cards);
  Object.assign(canvas, sizeOfSheet(cells.length));
  const context = canvas.getContext("2d");
  const images = await Promise.all(cells.map(({ hit }) => loaded(hit, displayWindow)));
  const colours = inks();
  context.fillStyle = colours.back;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [title, made, caution] = headOf(query, answer, day, told);
  const head = [
    [title, colours.text],
    [made, colours.muted],
    [caution, colours.query],
  ];
  write(context, head, GAP, GAP + LINE / 2, canvas.width);
  cells.forEach((card, number) => drawCell(context, card, images[number], picture, cellAt(number), colours));
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function loaded(hit, displayWindow) {
  const image = new Image();
  image.src = imageUrl(hit, displayWindow?.[2] === "HU" ? displayWindow : null);
  await image.decode();
  return image;
}

const COLOURS = ["back", "text", "muted", "query", "hit"];
/** The colours of pictures, which are dark in every theme. */
const inks = () => Object.fromEntries(COLOURS.map((name) => [name, ink(byId("stage"), `--${name}`)]));

function drawCell(context, card, image, picture, { x, y }, colours) {
  const { hit, query } = card;
  const { query: ofQuery, hit: ofHit } = card.cuts();
  const right = x + SIDE + GAP;
  context.fillStyle = "black";
  context.fillRect(x, y, SIDE, SIDE);
  context.fillRect(right, y, SIDE, SIDE);
  picture.paint(context, ofQuery, [x, y, SIDE]);
  context.drawImage(image, ofHit.x, ofHit.y, ofHit.width, ofHit.height, right, y, SIDE, SIDE);
  for (const { box } of query.regions) outline(context, box, ofQuery, [x, y], colours.query);
  for (const box of card.boxes) outline(context, box, ofHit, [right, y], colours.hit);
  const lines = [
    [`${hit.rank}: ${bits(hit.distance)} / ${hit.bits} bits`, colours.hit],
    [[hit.label, whereOf(hit, false)].filter(Boolean).join(" · "), colours.text],
    [[whoseOf(hit), howOf(hit)].filter(Boolean).join(" · "), colours.text],
    [numberOf(hit), colours.muted],
    [`Series ${hit.series_uid}`, colours.muted],
  ];
  write(context, lines, x, y + SIDE + LINE, CELL.width);
}

function outline(context, box, cut, [left, top], colour) {
  const scale = [SIDE / cut.width, SIDE / cut.height];
  context.save();
  context.beginPath();
  context.rect(left, top, SIDE, SIDE);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(left + (box.x - cut.x) * scale[0], top + (box.y - cut.y) * scale[1], box.width * scale[0], box.height * scale[1]);
  context.restore();
}

function write(context, lines, x, y, width) {
  context.font = "13px system-ui, sans-serif";
  lines.forEach(([text, colour], at) => {
    context.fillStyle = colour;
    context.fillText(text, x, y + at * LINE, width - GAP);
  });
}
