// Mouse and keys on the viewer's canvas.

import { nearestMarked } from "../drawing/marks.js";
import { boxBetween, shiftBox } from "./boxes.js";

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const LEFT = 0;
const MIDDLE = 1;
const MIN_DRAG = 4;

export function listen(viewer, { search, preset }) {
  const { canvas } = viewer;
  let drag = null;

  const at = (event) => viewer.placement.toImage(event.offsetX, event.offsetY);

  canvas.addEventListener("pointerdown", (event) => {
    if (!viewer.shown?.frame) return;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    drag = {
      button: event.button,
      item: viewer.shown.item,
      from: at(event),
      x: event.offsetX,
      y: event.offsetY,
      panX: viewer.placement.panX,
      panY: viewer.placement.panY,
      window: viewer.shownWindow,
    };
    event.preventDefault();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!drag || !viewer.shown?.frame) return;
    const { frame, item } = viewer.shown;
    const dx = event.offsetX - drag.x;
    const dy = event.offsetY - drag.y;
    if (drag.button === LEFT) {
      // A box is of one image: where another comes on the screen, the drag is over.
      if (item !== drag.item) drag = null;
      else if (Math.hypot(dx, dy) >= MIN_DRAG) {
        const box = boxBetween(drag.from, at(event), frame.columns, frame.rows);
        viewer.setRegions(box ? [{ box }] : []);
      }
    } else if (drag.button === MIDDLE) {
      viewer.placement.panX = drag.panX + dx;
      viewer.placement.panY = drag.panY + dy;
      viewer.draw();
    } else {
      const speed = frame.units === "presentation" ? 0.3 : 2;
      const width = Math.max(1, drag.window[1] + dx * speed);
      viewer.setWindow([Math.round(drag.window[0] + dy * speed), Math.round(width), frame.units]);
    }
  });

  const end = () => {
    drag = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!viewer.stack) return;
      event.preventDefault();
      if (event.ctrlKey) {
        const x = event.offsetX - canvas.clientWidth / 2;
        const y = event.offsetY - canvas.clientHeight / 2;
        viewer.placement.zoomAt(event.deltaY < 0 ? 1.2 : 1 / 1.2, x, y);
        viewer.draw();
      } else viewer.step(Math.sign(event.deltaY));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (viewer.stack && press(event, viewer, search, preset)) event.preventDefault();
  });
}

/** Handle a key; true if it is bound to something. */
function press(event, viewer, search, preset) {
  const { stack, shown } = viewer;
  const { columns, rows } = shown?.frame ?? {};
  const [region] = viewer.regions;
  const arrow = ARROWS[event.key];
  if (arrow && region && (event.shiftKey || event.altKey)) {
    const [dx, dy] = arrow;
    const change = event.shiftKey ? [dx, dy, 0, 0] : [0, 0, dx, dy];
    viewer.setRegions([{ box: shiftBox(region.box, ...change, columns, rows) }]);
    return true;
  }
  if (event.ctrlKey || event.metaKey) return false;
  const jumps = { PageUp: -10, PageDown: 10, Home: -stack.length, End: stack.length };
  const marked = shown && nearestMarked(viewer);
  if (arrow) viewer.step(arrow[0] + arrow[1]);
  else if (event.key in jumps) viewer.goTo(stack.indexOf(viewer.wish) + jumps[event.key]);
  else if (event.key === "Enter") search();
  else if (event.key === "Escape") viewer.setRegions([]);
  else if (event.key.toLowerCase() === "b" && columns) {
    viewer.setRegions([{ box: { x: columns * 0.4, y: rows * 0.4, width: columns * 0.2, height: rows * 0.2 } }]);
  } else if (event.key.toLowerCase() === "g" && marked) viewer.goTo(stack.indexOf(marked));
  else if (event.key === "0") {
    viewer.placement.reset();
    viewer.draw();
  } else if (/^[1-5]$/.test(event.key)) preset(Number(event.key) - 1);
  else return false;
  return true;
}
