// The tools, and which of them the left button and one finger have.

import { areaEllipse, areaOutline } from "./area.js";
import { box, ellipse, freehand } from "./region_tools.js";
import { length } from "./length.js";
import { Measurements } from "./measurements.js";
import { pan } from "./pan.js";
import { Point } from "./point.js";
import { probe } from "./probe.js";
import { scroll } from "./scroll.js";
import { Undo } from "./undo.js";
import { windowing } from "./windowing.js";
import { zoom } from "./zoom.js";

const TOOLS = [box, ellipse, freehand, scroll, windowing, pan, zoom, length, areaEllipse, areaOutline, probe];
/** The middle and the right button of a mouse always have theirs. */
const BY_BUTTON = { 1: pan, 2: windowing };

/**
 * Events: `tool` (another one is active, or regions are added or no longer).
 *
 * A tool has a `name`, a `label`, a `key`, a `hint`, and `begin(stroke, toolbox)`, which is told of a stroke of a pointer
 * (strokes.js) and returns what follows it: `move(stroke)`, and where it needs them `end()` and `cancel()`; or null. One
 * that `marks` the image belongs to that image: its stroke ends where another comes on the screen. With `place(viewer,
 * toolbox)` its key, pressed again, does in the middle of the image what a stroke would.
 */
export class Toolbox extends EventTarget {
  tools = TOOLS;
  active = box;
  isAdding = false;
  measurements = new Measurements();

  constructor(viewer) {
    super();
    this.viewer = viewer;
    this.point = new Point(viewer);
    this.undo = new Undo(viewer, this.measurements);
    this.measurements.addEventListener("change", () => viewer.draw());
  }

  /** Take a tool; the one that is active already does its work in the middle of the image. */
  take(tool) {
    if (tool === this.active && this.viewer.shown?.frame) tool.place?.(this.viewer, this);
    this.use(tool);
  }

  use(tool) {
    this.active = tool;
    this.dispatchEvent(new Event("tool"));
    this.viewer.draw();
  }

  /** Whether arrow keys move the point whose value is told. */
  get isProbing() {
    return this.active === probe;
  }

  /** Let further regions be added to those that the image has, or take their place. */
  add(isAdding) {
    this.isAdding = isAdding;
    this.dispatchEvent(new Event("tool"));
  }

  byButton = (button) => BY_BUTTON[button] ?? this.active;

  byKey = (key) => TOOLS.find((tool) => tool.key === key);
}
