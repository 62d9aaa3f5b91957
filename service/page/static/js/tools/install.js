// The reading tools of the page: toolbar, gestures and keys, measurements, the words around the picture, cine, help.

import { byId } from "../dom.js";
import { installOverlay } from "../overlay/install.js";
import { listen } from "../viewing/gestures.js";
import { WindowControls } from "../viewing/window_controls.js";
import { Chips } from "./chips.js";
import { Cine } from "./cine.js";
import { commandsOf } from "./commands.js";
import { installHelp } from "./help.js";
import { KeptMeasurements } from "./kept_measurements.js";
import { paintMeasurements, paintPoint } from "./paint.js";
import { Toolbar } from "./toolbar.js";
import { Toolbox } from "./toolbox.js";

export function installTools({ viewer, archive, reading }) {
  const toolbox = new Toolbox(viewer);
  const cine = new Cine(viewer);
  const commands = commandsOf({ viewer, toolbox, cine });
  const windows = new WindowControls(viewer);
  const toolbar = new Toolbar(toolbox, commands);
  const chips = new Chips(viewer, toolbox.measurements);
  const search = () => reading.dispatchEvent(new Event("asked"));

  viewer.addEventListener("shown", () => {
    windows.update();
    chips.update();
    toolbar.update();
  });
  for (const part of [toolbox, toolbox.undo, cine]) {
    for (const event of ["tool", "change"]) part.addEventListener(event, () => toolbar.update());
  }
  for (const paint of [paintMeasurements(toolbox), paintPoint(toolbox)]) viewer.addLayer(paint);
  listen(viewer, { search, preset: (index) => windows.use(index), toolbox, commands });
  installOverlay({ viewer, archive, point: toolbox.point });
  installCine(cine, viewer.canvas);
  installHelp(toolbox.tools, commands);
  installKept(toolbox.measurements, archive);
}

function installKept(measurements, archive) {
  const kept = new KeptMeasurements(measurements, document.body.dataset.login);
  window.addEventListener("pagehide", () => kept.write());
  byId("logout").addEventListener("click", () => kept.end());
  archive.addEventListener("removed", () => kept.end());
}

/** Whoever takes the image in hand stops it. */
function installCine(cine, canvas) {
  byId("cine-rate").addEventListener("change", ({ target }) => {
    cine.rate = target.valueAsNumber;
    target.value = cine.rate;
  });
  for (const event of ["pointerdown", "wheel"]) canvas.addEventListener(event, () => cine.stop(), { passive: true });
  canvas.addEventListener("keydown", ({ key }) => /^(Arrow|Page|Home|End)/.test(key) && cine.stop());
  byId("slider").addEventListener("input", () => cine.stop());
}
