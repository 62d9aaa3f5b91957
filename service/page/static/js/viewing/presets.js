// Display windows that readers use, by modality and part of the body; those of unknown units by the image's own values.

import { PERCENTILES } from "./display_window.js";

const FILE = { name: "File", title: "The file's own display window", window: null };
const hu = (name, centre, width, parts) => ({
  name,
  title: `Centre ${centre}, width ${width} HU`,
  parts,
  window: [centre, width, "HU"],
});

const CHEST = /CHEST|THORAX|LUNG|HEART|BREAST/;
const HEAD = /HEAD|BRAIN|SKULL|ORBIT|SINUS|FACE/;
const ABDOMEN = /ABD|LIVER|PELVIS|KIDNEY|PANCREAS|SPLEEN|COLON|BLADDER|PROSTATE/;
const SPINE = /SPINE|BACK|SACRUM/;
const VESSELS = /AORTA|ARTER|VESSEL|ANGIO|CAROTID|HEART/;

const CT = [
  hu("Lung", -600, 1500, CHEST),
  hu("Mediastinum", 40, 400, CHEST),
  hu("Brain", 40, 80, HEAD),
  hu("Stroke", 40, 40, HEAD),
  hu("Abdomen", 50, 400, ABDOMEN),
  hu("Liver", 30, 150, ABDOMEN),
  hu("Spine", 50, 250, SPINE),
  hu("Angio", 300, 600, VESSELS),
  hu("Bone", 400, 1800, /BONE|EXTREMITY|ARM|LEG|HAND|FOOT|KNEE|HIP|SHOULDER|SKULL|SPINE/),
];

const share = (name, low, high) => ({
  name,
  title: `From the ${low} % to the ${high} % of the values of the image that is shown`,
  window: [low, high, PERCENTILES],
});
const BY_VALUES = [share("Full", 0, 100), share("1 to 99 %", 1, 99), share("Narrow", 10, 90)];

/** The presets of a frame, each with a `window` to choose: those of its part of the body first; the file's own window is always the first. */
export function presetsFor(frame, bodyPart) {
  if (!frame) return [];
  if (frame.coloured) return [FILE];
  if (frame.units !== "HU") return [FILE, ...BY_VALUES];
  const part = (bodyPart ?? "").toUpperCase();
  const fits = ({ parts }) => parts.test(part);
  return [FILE, ...CT.filter(fits), ...CT.filter((preset) => !fits(preset))];
}
