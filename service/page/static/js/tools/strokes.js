// Strokes: the way of a pointer from where it was put down, as tools are told of it.

const LEAST_WAY = 4;

/** One stroke of a tool; `points` are of the canvas, from its upper left corner. */
export class Stroke {
  #follow = null;
  #hasMoved = false;

  constructor(toolbox, tool, at, { adds = false } = {}) {
    const { viewer } = toolbox;
    const { item, frame } = viewer.shown;
    Object.assign(this, { toolbox, tool, viewer, item, frame, adds, start: at });
    this.from = this.to = viewer.placement.toImage(at.x, at.y);
    this.centred = { x: at.x - viewer.canvas.clientWidth / 2, y: at.y - viewer.canvas.clientHeight / 2 };
    this.dx = this.dy = 0;
    toolbox.undo.hold(item);
    this.#follow = tool.begin(this, toolbox);
  }

  /** Whether the pointer has gone far enough not to be a mere click. */
  get hasMoved() {
    return this.#hasMoved;
  }

  move(at) {
    if (this.#isElsewhere) this.#drop();
    if (!this.#follow || !this.viewer.shown?.frame) return;
    this.dx = at.x - this.start.x;
    this.dy = at.y - this.start.y;
    this.#hasMoved ||= Math.hypot(this.dx, this.dy) >= LEAST_WAY;
    if (!this.#hasMoved) return;
    this.to = this.viewer.placement.toImage(at.x, at.y);
    this.#follow.move(this);
  }

  end() {
    this.#finish("end");
  }

  /** End, and leave the image as it was before. */
  cancel() {
    this.#finish("cancel");
  }

  /** What marks an image marks none that came on the screen meanwhile. */
  get #isElsewhere() {
    return Boolean(this.tool.marks) && this.viewer.shown?.item !== this.item;
  }

  #finish(how) {
    if (this.#hasMoved && !this.#isElsewhere) this.#follow?.[how]?.();
    this.#drop();
  }

  #drop() {
    this.#follow = null;
    this.toolbox.undo.release();
  }
}
