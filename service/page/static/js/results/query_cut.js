// The query's part of a card: a cut of its picture, drawn as large as it is shown, and only while it is wanted.

import { el } from "../dom.js";

export class QueryCut {
  canvas = el("canvas", { width: 0, height: 0 });
  #picture = null;
  #cut = null;
  #side = 0; // pixels of the screen; 0 while nothing is held

  /** Draw another picture, or another cut of it. */
  show(picture, cut) {
    this.#picture = picture;
    this.#cut = cut;
    this.#draw();
  }

  /** Hold as many pixels as the screen has for it. */
  fit() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (side === this.#side) return;
    this.#hold(side);
    this.#draw();
  }

  /** Hold none: what was drawn is gone until `fit` draws it again. */
  letGo() {
    this.#hold(0);
  }

  #hold(side) {
    this.#side = side;
    Object.assign(this.canvas, { width: side, height: side });
  }

  #draw() {
    if (!this.#picture || !this.#side) return;
    const context = this.canvas.getContext("2d");
    context.fillStyle = "black";
    context.fillRect(0, 0, this.#side, this.#side);
    this.#picture.paint(context, this.#cut, [0, 0, this.#side]);
  }
}
