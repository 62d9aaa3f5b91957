// What a reader does on the viewer's canvas: pointers, wheel, keys.

import { Toolbox } from "../tools/toolbox.js";
import { listenToKeys } from "./keys.js";
import { listenToPointers } from "./pointers.js";
import { Wheel, zoomOf } from "./wheel.js";

export function listen(viewer, { search, preset, toolbox = new Toolbox(viewer), commands = [] }) {
  listenToPointers(viewer, toolbox);
  listenToWheel(viewer);
  listenToKeys(viewer, { search, preset, toolbox, commands });
}

function listenToWheel(viewer) {
  const { canvas } = viewer;
  const wheel = new Wheel();
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!viewer.stack) return;
      event.preventDefault();
      if (event.ctrlKey) zoom(viewer, event);
      else scroll(viewer, wheel.steps(event));
    },
    { passive: false },
  );
}

function zoom(viewer, event) {
  const { canvas, placement } = viewer;
  placement.zoomAt(zoomOf(event), event.offsetX - canvas.clientWidth / 2, event.offsetY - canvas.clientHeight / 2);
  viewer.draw();
}

function scroll(viewer, steps) {
  for (let step = 0; step < Math.abs(steps); step += 1) viewer.step(Math.sign(steps));
}
