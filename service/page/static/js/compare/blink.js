// Both pictures in one place, one at a time: what changes between them blinks.

import { byId } from "../dom.js";

const KEY = "k";

export function installBlink(compare) {
  const panes = byId("panes");
  const button = byId("blink");

  function blink(isOn) {
    panes.classList.toggle("blinking", isOn);
    panes.classList.toggle("shows-beside", isOn);
    button.setAttribute("aria-pressed", String(isOn));
  }

  button.addEventListener("click", () => blink(!panes.classList.contains("blinking")));
  document.addEventListener("keydown", (event) => {
    const isTyped = event.target.closest?.("input:not([type=checkbox]):not([type=range]), select, textarea, dialog, [role=tree]");
    if (!compare.isOpen || isTyped || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== KEY) return;
    event.preventDefault();
    if (panes.classList.contains("blinking")) panes.classList.toggle("shows-beside");
    else blink(true);
  });
  compare.addEventListener("changed", () => !compare.isOpen && blink(false));
}
