// Why a hit was found, as a layer over both pictures: the nearer a place, the more of its colour.

import { explainHit } from "../api.js";
import { ink } from "../drawing/inks.js";

export class Heat {
  strength = 0.6;
  #maps = new Map();
  #asked = 0;

  /** A layer of a viewer. It is drawn over the image that it belongs to alone. */
  paint = (context, viewer) => {
    const map = this.#maps.get(viewer);
    if (!map || map.item !== viewer.shown.item) return;
    const { columns, rows } = viewer.shown.frame;
    context.save();
    context.globalAlpha = this.strength;
    context.transform(...viewer.placement.matrix);
    context.drawImage(map.canvas, 0, 0, columns, rows);
    context.restore();
  };

  /** Ask why the image beside was found by the other; returns it in words, null where something else was asked since. */
  async ask(main, beside) {
    const turn = (this.#asked += 1);
    const [query, hit] = [main.shown, beside.shown];
    const boxes = main.regions.map(({ box }) => box);
    const why = await explainHit(query.identity, boxes, hit.identity);
    if (turn !== this.#asked) return null;
    const colour = ink(main.canvas, "--query");
    this.#maps = new Map([
      [main, { item: query.item, canvas: drawn(why.query_map, why.bits, colour) }],
      [beside, { item: hit.item, canvas: drawn(why.hit_map, why.bits, colour) }],
    ]);
    return wordsOf(why, boxes.length);
  }

  clear() {
    this.#asked += 1;
    this.#maps = new Map();
  }
}

/** From 0 for codes that have nothing in common, which agree in half of their bits, to 1 for the same. */
export const nearness = (distance, bits) => (distance === null ? 0 : Math.min(1, Math.max(0, 1 - (2 * distance) / bits)));

function drawn({ rows, columns, distances }, bits, colour) {
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  distances.forEach((row, y) =>
    row.forEach((distance, x) => {
      context.globalAlpha = nearness(distance, bits);
      context.fillRect(x, y, 1, 1);
    }),
  );
  return canvas;
}

function wordsOf({ local, global: whole }, boxes) {
  const first = boxes > 1 ? "Of the first region: " : "";
  return [local && first + local.said, whole.said].filter(Boolean).map((said) => said.replace(/\.?$/, ".")).join(" ");
}
