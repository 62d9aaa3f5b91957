// The help: all keys and gestures, from the tools and commands that there are.

import { byId, el } from "../dom.js";
import { keyText } from "./toolbar.js";

const GESTURES = [
  ["Left button, one finger", "the active tool"],
  ["Right drag", "display window"],
  ["Middle drag", "move the image"],
  ["Wheel, two fingers on a trackpad", "scroll"],
  ["Ctrl with the wheel, pinch", "zoom at the pointer"],
  ["Two fingers on a screen", "zoom and move"],
  ["A finger that rests", "value under it"],
  ["Shift drag", "add a region to those that are there"],
];
const KEYS = [
  [["↑", "↓", "Page Up", "Page Down", "Home", "End"], "scroll; with the probe, arrows move its point"],
  [["Enter"], "search"],
  [["Shift ↑ ↓ ← →", "Alt ↑ ↓ ← →"], "move, resize what was drawn last"],
  [["Delete"], "remove what was drawn last"],
  [["Esc"], "remove the point of the probe, then all regions, then all measurements of the image"],
  [["G"], "go to the nearest image with regions"],
  [["1", "…", "9"], "display windows, in the order of their list"],
  [["?"], "this help"],
];

export function installHelp(tools, commands) {
  const dialog = byId("help");
  fill("help-gestures", GESTURES.map(([gesture, what]) => [[gesture], what]));
  fill("help-tools", tools.map(({ key, hint, place }) => [printed([keyText(key)]), place ? `${hint}; again: in the middle` : hint]));
  fill("help-keys", [...commands.map(({ keys, label }) => [keys.map(keyText), label]), ...KEYS].map(([keys, what]) => [printed(keys), what]));
  const open = () => dialog.open || dialog.showModal();
  byId("open-help").addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || isWriting(event.target)) return;
    event.preventDefault();
    open();
  });
}

const isWriting = (element) => Boolean(element.closest?.("input:not([type=checkbox], [type=range]), textarea, [contenteditable]"));

function fill(id, rows) {
  const cells = rows.flatMap(([terms, what]) => [el("dt", {}, ...terms), el("dd", { textContent: what })]);
  byId(id).replaceChildren(...cells);
}

const printed = (keys) => keys.flatMap((key) => [el("kbd", { textContent: key }), " "]);
