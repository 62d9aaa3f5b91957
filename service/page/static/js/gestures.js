// Mouse and keys on the viewer's canvas.

import { boxBetween, shiftBox } from "./viewport.js";

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const LEFT = 0;
const MIDDLE = 1;
const MIN_DRAG = 4;

export function listen(viewer, { search, preset }) {
  const { canvas } = viewer;
  let drag = null;

  const at = (event) => viewer.viewport.toImage(event.offsetX, event.offsetY);

  canvas.addEventListener("pointerdown", (event) => {
    if (!viewer.picture) return;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    drag = {
      button: event.button,
      from: at(event),
      x: event.offsetX,
      y: event.offsetY,
      panX: viewer.viewport.panX,
      panY: viewer.viewport.panY,
      window: viewer.shownWindow,
    };
    event.preventDefault();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!drag || !viewer.picture) return;
    const dx = event.offsetX - drag.x;
    const dy = event.offsetY - drag.y;
    if (drag.button === LEFT) {
      if (Math.hypot(dx, dy) < MIN_DRAG) return;
      const { columns, rows } = viewer.picture;
      viewer.setBox(boxBetween(drag.from, at(event), columns, rows));
    } else if (drag.button === MIDDLE) {
      viewer.viewport.panX = drag.panX + dx;
      viewer.viewport.panY = drag.panY + dy;
      viewer.draw();
    } else {
      const speed = viewer.picture.units === "HU" ? 2 : 0.3;
      const width = Math.max(1, drag.window[1] + dx * speed);
      viewer.setWindow([Math.round(drag.window[0] + dy * speed), Math.round(width), viewer.picture.units]);
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
        viewer.viewport.zoomAt(event.deltaY < 0 ? 1.2 : 1 / 1.2, x, y);
        viewer.draw();
      } else viewer.scrollTo(viewer.index + Math.sign(event.deltaY));
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (viewer.stack && press(event, viewer, search, preset)) event.preventDefault();
  });
}

/** Handle a key; true if it is bound to something. */
function press(event, viewer, search, preset) {
  const { columns, rows } = viewer.picture ?? {};
  const arrow = ARROWS[event.key];
  if (arrow && columns && viewer.box && (event.shiftKey || event.altKey)) {
    const [dx, dy] = arrow;
    const change = event.shiftKey ? [dx, dy, 0, 0] : [0, 0, dx, dy];
    viewer.setBox(shiftBox(viewer.box, ...change, columns, rows));
    return true;
  }
  if (event.ctrlKey || event.metaKey) return false;
  const last = viewer.stack.length - 1;
  const steps = { PageUp: -10, PageDown: 10, Home: -last, End: last };
  if (arrow || event.key in steps) viewer.scrollTo(viewer.index + (arrow ? arrow[0] + arrow[1] : steps[event.key]));
  else if (event.key === "Enter") search();
  else if (event.key === "Escape") viewer.setBox(null);
  else if (event.key.toLowerCase() === "b" && columns) {
    viewer.setBox({ x: columns * 0.4, y: rows * 0.4, width: columns * 0.2, height: rows * 0.2 });
  } else if (event.key === "0") {
    viewer.viewport.reset();
    viewer.draw();
  } else if (/^[1-5]$/.test(event.key)) preset(Number(event.key) - 1);
  else return false;
  return true;
}
