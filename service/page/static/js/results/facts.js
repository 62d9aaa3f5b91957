// What a hit is, in words.

import { ageBand, sexText } from "../persons.js";
import { facetOf } from "./facets.js";

const known = (parts) => parts.filter((part) => part !== null && part !== undefined && part !== "");

/** Its image: modality, body part, and whether it is of the series that was searched with. */
export const whereOf = (hit, isOwnSeries) =>
  known([hit.modality, hit.body_part, isOwnSeries ? "this series" : null]).join(" · ");

/** Which image of its series. */
export function numberOf({ instance_number, frame_number }) {
  return `${instance_number === null ? "" : `image ${instance_number}, `}frame ${frame_number}`;
}

/** Which image it is, the slab that it lies in, and how large what was found is, where that is a place. */
export const whichOf = (hit, boxes) =>
  known([numberOf(hit), hit.slab && `slab of ${hit.slab.slab_mm} mm`, boxes.length ? sizeOf(hit) : null]).join(" · ");

/** Whose it is, as far as that may be told: sex, age band, date, collection. */
export function whoseOf({ sex, age_years, study_date, collection }) {
  const who = known([sex && sexText(sex), ageBand(age_years)]);
  return known([who.join(", "), study_date, collection === "default" ? null : `in ${collection}`]).join(" · ");
}

/** How it was made: kernel, thickness, contrast, view, side. */
export function howOf(hit) {
  return known(
    ["convolution_kernel", "slice_thickness_mm", "contrast", "view_position", "laterality"].map((name) => {
      const facet = facetOf(name);
      const key = facet.keyOf(hit);
      if (key === null || key === undefined) return null;
      return name === "slice_thickness_mm" ? `${facet.textOf(key)} slices` : facet.textOf(key);
    }),
  ).join(" · ");
}

/** The size of what was found. */
export function sizeOf({ box, box_mm }) {
  const { width, height } = box_mm ?? box;
  return `box ${width.toFixed(0)} × ${height.toFixed(0)} ${box_mm ? "mm" : "px"}`;
}

export const bits = (distance) => (Number.isInteger(distance) ? String(distance) : distance.toFixed(1));

/** Whose hits these are: what was searched for; a file is named as `nameOf` says. */
export function titleOf({ stack, item, regions }, nameOf = (file) => file.name) {
  const { series } = stack;
  const name = series ? known([series.modality, series.body_part]).join(" ") : nameOf(item.identity.file);
  const what = regions.length ? `${regions.length} region${regions.length === 1 ? "" : "s"}` : "whole image";
  return `For image ${stack.indexOf(item) + 1} of ${name}, ${what}`;
}
