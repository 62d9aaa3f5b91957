// The viewer's part of the page: the words beside the picture, and the slider.

import { byId, showProblem } from "../dom.js";
import { paintRegions } from "../drawing/marks.js";
import { label, labelLoading } from "./labels.js";

export function installViewing({ viewer }) {
  viewer.addEventListener("shown", () => {
    label(viewer);
    showSlider(viewer);
  });
  viewer.addEventListener("loading", () => labelLoading(viewer));
  viewer.addEventListener("problem", (event) => showProblem(event.detail));
  viewer.addLayer(paintRegions);
  byId("slider").addEventListener("input", (event) => viewer.goTo(event.target.valueAsNumber - 1));
}

function showSlider({ shown }) {
  const slider = byId("slider");
  slider.disabled = !shown || shown.count < 2;
  slider.max = shown?.count ?? 1;
  slider.value = (shown?.index ?? 0) + 1;
  slider.setAttribute("aria-valuetext", `Image ${slider.value} of ${slider.max}`);
}
