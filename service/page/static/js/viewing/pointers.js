// Pointers on the viewer's canvas: buttons of a mouse, one finger, two fingers, a finger that rests.

import { Stroke } from "../tools/strokes.js";
import { Pinch } from "./pinch.js";

const LONG_PRESS_MS = 500;

export function listenToPointers(viewer, toolbox) {
  const { canvas } = viewer;
  const { point } = toolbox;
  const fingers = new Map();
  let [stroke, pinch, isProbing, pressing, pressedAt] = [null, null, false, 0, 0];

  const imagePoint = ({ x, y }) => viewer.placement.toImage(x, y);

  function begin(event) {
    if (fingers.size > 1) {
      interrupt();
      isProbing = false;
      pinch = fingers.size === 2 ? new Pinch(viewer, [...fingers.values()]) : null;
      return;
    }
    stroke?.cancel();
    if (fingers.size && point.isSet) point.hover(null);
    stroke = new Stroke(toolbox, toolbox.byButton(event.button), at(event), { adds: event.shiftKey });
    pressedAt = event.timeStamp;
    if (fingers.size) pressing = setTimeout(probe, LONG_PRESS_MS, at(event));
  }

  /** A finger that rests reads the value under it. */
  function probe(where) {
    if (stroke?.hasMoved || !viewer.shown?.frame) return;
    isProbing = true;
    point.set(imagePoint(where));
  }

  /** A busy page hears only when the time is over that the finger moved on in time: then it draws after all. */
  function reconsider(event) {
    if (!isProbing || event.timeStamp - pressedAt >= LONG_PRESS_MS) return;
    isProbing = false;
    point.hover(null);
  }

  function interrupt() {
    clearTimeout(pressing);
    stroke?.cancel();
    stroke = null;
  }

  function end(event, isDone) {
    fingers.delete(event.pointerId);
    reconsider(event);
    if (isDone && !isProbing) stroke?.end();
    interrupt();
    if (fingers.size) return;
    pinch = null;
    isProbing = false;
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!viewer.shown?.frame) return;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    if (event.pointerType === "touch") fingers.set(event.pointerId, at(event));
    begin(event);
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!viewer.shown?.frame) return;
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at(event));
    else point.hover(imagePoint(at(event)));
    reconsider(event);
    if (pinch) pinch.move([...fingers.values()]);
    else if (isProbing) point.set(imagePoint(at(event)));
    else stroke?.move(at(event));
  });

  canvas.addEventListener("pointerup", (event) => end(event, true));
  canvas.addEventListener("pointercancel", (event) => end(event, false));
  canvas.addEventListener("pointerleave", () => point.isSet || point.hover(null));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
}

const at = ({ offsetX, offsetY }) => ({ x: offsetX, y: offsetY });
