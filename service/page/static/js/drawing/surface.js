// What pictures are drawn on: WebGL2 where the machine has a GPU for it, else a 2-D canvas, which is faster there.

import { FlatSurface } from "./flat_surface.js";
import { GlSurface } from "./gl_surface.js";

const OPTIONS = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: true };
/** Renderers that compute on the processor, and that browsers offer all the same. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Return a surface: `draw(frame, shades, matrix)`, `clear()`, and `takes(frame)`, whether it can draw it now. */
export function surfaceOf(canvas) {
  const context = canvas.getContext("webgl2", OPTIONS);
  if (!context) return new FlatSurface(canvas);
  try {
    if (isHardware(context)) return new GlSurface(canvas, context);
  } catch {
    // Its shaders do not link.
  }
  return flatInPlaceOf(canvas);
}

function isHardware(gl) {
  const known = gl.getExtension("WEBGL_debug_renderer_info");
  return !SOFTWARE.test(gl.getParameter(known ? known.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

/** A 2-D surface where another one was: a canvas that has given out one kind of context gives no other. */
export function flatInPlaceOf(canvas) {
  const other = canvas.cloneNode();
  canvas.replaceWith(other);
  return new FlatSurface(other);
}
