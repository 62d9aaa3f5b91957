// From stored values to the 256 greys of a screen, in the numbers of the server's own pictures (PS3.3 C.11.2).
//
// The greys are a table by stored value, so that every surface shows the same ones, whatever its arithmetic.

const WHITE = 255;
const LEAST_HU = -1024;
const f32 = Math.fround;

/**
 * Return the greys by stored value, whose 16 bits are read without a sign; those of no pixel are 0.
 *
 * `chosen` is a display window (centre, width) in the frame's units, percent for presentation values; null is the
 * file's own.
 */
export function shadesOf(frame, chosen = null) {
  const table = new Uint8Array(frame.coloured ? 256 : 65536);
  const shade = shading(frame, chosen);
  for (let stored = frame.least; stored <= frame.most; stored += 1) table[stored & 0xffff] = shade(stored);
  return table;
}

function shading(frame, chosen) {
  if (frame.units === "HU") return hounsfield(frame, chosen ?? frame.ownWindow);
  if (frame.units === "presentation") return presentation(frame, chosen);
  return modality(frame, chosen);
}

/** Padding and all below -1024 HU is -1024 HU, as it is for the server. */
function hounsfield(frame, [centre, width]) {
  const { slope, intercept } = frame;
  const linear = linearIn32Bits(centre, width);
  return (stored) =>
    linear(frame.isPadding(stored) ? LEAST_HU : f32(Math.max(stored * slope + intercept, LEAST_HU)));
}

function presentation({ slope, intercept }, chosen) {
  const linear = chosen && linearIn32Bits(...chosen);
  return (stored) => {
    const value = f32(stored * slope + intercept);
    return linear ? linear(f32(value * 100)) : grey(value);
  };
}

function modality(frame, chosen) {
  const { slope, intercept, inverted } = frame;
  const curve = curveOf(frame, chosen);
  return (stored) => {
    if (frame.isPadding(stored)) return 0;
    const shown = curve(stored * slope + intercept);
    return grey(inverted ? 1 - shown : shown);
  };
}

function curveOf(frame, chosen) {
  if (chosen) return windowed("LINEAR", ...chosen);
  if (frame.windows.length) return windowed(frame.windowFunction, ...frame.windows[0]);
  const [low, high] = frame.range();
  return high > low ? (value) => (value - low) / (high - low) : () => 0;
}

function windowed(kind, centre, width) {
  if (kind === "SIGMOID") return (value) => 0.5 * (1 + Math.tanh((2 * (value - centre)) / width));
  const [middle, span] = kind === "LINEAR" ? [centre - 0.5, width - 1] : [centre, width];
  if (span === 0) return (value) => (value > middle ? 1 : 0);
  return (value) => clip((value - middle) / span + 0.5);
}

/** A linear window in 32-bit floats: the server computes Hounsfield units and percent in them. */
function linearIn32Bits(centre, width) {
  const low = f32(centre - 0.5 - (width - 1) / 2);
  const span = f32(Math.max(width - 1, 1e-6));
  return (value) => grey(f32(f32(value - low) / span));
}

const clip = (share) => Math.min(1, Math.max(0, share));

/** From 0 to 1 to a grey; what lies in the middle of two becomes the even one. */
function grey(share) {
  const scaled = f32(clip(f32(share)) * WHITE);
  const rounded = Math.round(scaled);
  return rounded - scaled === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
