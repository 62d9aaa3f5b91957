// A splitter: it changes the width of its panel by drag and by keys. Enter hides the panel, or brings it back.

import { bounds, SIDES, steered } from "./layout.js";
import { nameOf } from "./panels.js";

export function installSplitter(splitter, panels) {
  const name = nameOf(splitter);

  function tell() {
    const [least, most] = bounds(name, panels.total);
    const width = panels.isHidden(name) ? 0 : panels.widthOf(name);
    const said = { valuemin: Math.min(least, width), valuemax: most, valuenow: width, valuetext: `${width} pixels` };
    for (const [attribute, value] of Object.entries(said)) splitter.setAttribute(`aria-${attribute}`, value);
  }

  splitter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") panels.toggle(name);
    else {
      const width = steered(name, event.key, panels.widthOf(name), panels.total);
      if (width === null) return;
      panels.setWidth(name, width);
    }
    event.preventDefault();
  });

  splitter.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const start = { x: event.clientX, width: panels.widthOf(name) };
    splitter.setPointerCapture(event.pointerId);
    splitter.onpointermove = ({ clientX }) => panels.setWidth(name, start.width + SIDES[name].sign * (clientX - start.x));
  });
  splitter.addEventListener("lostpointercapture", () => {
    splitter.onpointermove = null;
  });
  splitter.addEventListener("dblclick", () => panels.setWidth(name, null));
  panels.addEventListener("changed", tell);
  new ResizeObserver(tell).observe(splitter.parentElement);
}
