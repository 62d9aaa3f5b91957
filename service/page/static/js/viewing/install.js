// The viewer's part of the page: its controls, and the words beside the picture.

import { byId, showProblem } from "../dom.js";
import { paintBoxes } from "../drawing/marks.js";
import { listen } from "./gestures.js";
import { label, labelLoading } from "./labels.js";
import { Presets } from "./presets.js";

export function installViewing({ viewer, reading }) {
  const presets = new Presets(viewer);
  viewer.addEventListener("shown", () => {
    label(viewer);
    showSlider(viewer);
    presets.update();
  });
  viewer.addEventListener("loading", () => labelLoading(viewer));
  viewer.addEventListener("problem", (event) => showProblem(event.detail));
  viewer.addLayer(paintBoxes);
  listen(viewer, { search: () => reading.dispatchEvent(new Event("asked")), preset: (index) => presets.use(index) });
  byId("slider").addEventListener("input", (event) => viewer.goTo(event.target.valueAsNumber - 1));
}

function showSlider({ shown }) {
  const slider = byId("slider");
  slider.disabled = !shown || shown.count < 2;
  slider.max = shown?.count ?? 1;
  slider.value = (shown?.index ?? 0) + 1;
  slider.setAttribute("aria-valuetext", `Image ${slider.value} of ${slider.max}`);
}
