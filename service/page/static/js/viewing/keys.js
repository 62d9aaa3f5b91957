// Keys on the viewer's canvas.

import { nearestMarked } from "../drawing/marks.js";
import { removeLast, shiftLast } from "../tools/marked.js";

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** A key with what is held beside it, as commands name it: "i", "Shift+r", "Ctrl+Shift+z". */
export function keyName({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  const isLetter = key.toLowerCase() !== key.toUpperCase();
  const held = [(ctrlKey || metaKey) && "Ctrl", altKey && "Alt", shiftKey && (isLetter || key.length > 1) && "Shift"];
  return [...held, key.length === 1 ? key.toLowerCase() : key].filter(Boolean).join("+");
}

export function listenToKeys(viewer, { search, preset, toolbox, commands }) {
  viewer.canvas.addEventListener("keydown", (event) => {
    if (viewer.stack && press(event, viewer, { search, preset, toolbox, commands })) event.preventDefault();
  });
}

/** Handle a key; true if it is bound to something. */
function press(event, viewer, { search, preset, toolbox, commands }) {
  const { stack, shown } = viewer;
  const frame = shown?.frame;
  const name = keyName(event);
  const command = commands.find(({ keys }) => keys.includes(name));
  if (command) {
    command.run();
    return true;
  }
  const arrow = ARROWS[event.key];
  if (arrow && frame && (event.shiftKey || event.altKey)) return shift(arrow, event, viewer, toolbox);
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const jumps = { PageUp: -10, PageDown: 10, Home: -stack.length, End: stack.length };
  const marked = shown && nearestMarked(viewer);
  const tool = toolbox.byKey(name);
  if (arrow && frame && toolbox.isProbing) toolbox.point.shift(...arrow);
  else if (arrow) viewer.step(arrow[0] + arrow[1]);
  else if (name in jumps) viewer.goTo(stack.indexOf(viewer.wish) + jumps[name]);
  else if (name === "Enter") search();
  else if (name === "Escape") clear(viewer, toolbox);
  else if (name === "Delete" || name === "Backspace") removeLast(viewer, toolbox);
  else if (name === "g" && marked) viewer.goTo(stack.indexOf(marked));
  else if (/^[1-9]$/.test(name)) preset(Number(name) - 1);
  else if (tool) toolbox.take(tool);
  else return false;
  return true;
}

/** With Shift arrows move what was drawn last, or the probe ten pixels; with Alt they resize it. */
function shift([dx, dy], { shiftKey }, viewer, toolbox) {
  if (toolbox.isProbing) toolbox.point.shift(10 * dx, 10 * dy);
  else return shiftLast(viewer, toolbox, shiftKey ? [dx, dy, 0, 0] : [0, 0, dx, dy]);
  return true;
}

/** The probe's cross goes first, then regions: what is searched for is nearer at hand than what was measured. */
function clear(viewer, { measurements, point }) {
  const { shown, regions } = viewer;
  if (point.isSet) point.hover(null);
  else if (regions.length) viewer.setRegions([]);
  else if (shown) measurements.set(shown.item, []);
}
