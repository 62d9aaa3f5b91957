// Two fingers: what lies between them stays between them.

export class Pinch {
  #last;

  constructor(viewer, fingers) {
    this.viewer = viewer;
    this.#last = between(fingers);
  }

  move(fingers) {
    if (fingers.length < 2) return;
    const { placement, canvas } = this.viewer;
    const { x, y, apart } = between(fingers);
    placement.panX += x - this.#last.x;
    placement.panY += y - this.#last.y;
    placement.zoomAt(apart / this.#last.apart, x - canvas.clientWidth / 2, y - canvas.clientHeight / 2);
    this.#last = { x, y, apart };
    this.viewer.draw();
  }
}

const between = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) });
