// How far a hit may be: those beyond are hidden, and counted.

import { byId, plural } from "../dom.js";
import { bits } from "./facts.js";

/** The ends of the slider: whole bits around the distances of some hits. */
export function endsOf(hits) {
  const distances = hits.map(({ distance }) => distance);
  return distances.length ? [Math.floor(Math.min(...distances)), Math.ceil(Math.max(...distances))] : [0, 0];
}

export function installThreshold({ hits, reading }) {
  const slider = byId("threshold");

  function apply() {
    const isAll = slider.valueAsNumber >= Number(slider.max);
    const hidden = hits.setFarthest(isAll ? null : slider.valueAsNumber);
    byId("threshold-text").textContent = isAll ? "all" : `${bits(slider.valueAsNumber)} bits`;
    byId("hidden-hits").textContent = hidden ? `${plural(hidden, "hit")} farther than that ${hidden === 1 ? "is" : "are"} hidden.` : "";
    byId("hidden-hits").hidden = !hidden;
  }

  slider.addEventListener("input", apply);
  // Of other hits all are shown at first: distances of a refined search do not compare with those before.
  reading.addEventListener("query", () => {
    const [least, most] = endsOf(reading.answer?.hits ?? []);
    Object.assign(slider, { min: least, max: most, value: most, disabled: least === most });
    apply();
  });
  apply();
}
