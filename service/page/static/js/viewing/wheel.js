// Wheels and trackpads: a wheel turns by notches, a trackpad sends a stream of small ways.

const PIXELS_PER_STEP = 40;
const PAUSE_MS = 200;
const NOTCH_ZOOM = 1.2;
const WHEEL_DELTA = 120;

/** Counts how many images a wheel or a trackpad has gone: one a notch, or one for so many pixels. */
export class Wheel {
  #way = 0;
  #last = 0;

  /** The steps that an event completes, with their sign. */
  steps({ deltaY, timeStamp, ...event }) {
    if (isNotch({ deltaY, ...event })) {
      this.#way = 0;
      return Math.sign(deltaY);
    }
    const goesOn = timeStamp - this.#last < PAUSE_MS && Math.sign(deltaY) === Math.sign(this.#way);
    this.#last = timeStamp;
    this.#way = (goesOn ? this.#way : 0) + deltaY;
    const steps = Math.trunc(this.#way / PIXELS_PER_STEP);
    this.#way -= steps * PIXELS_PER_STEP;
    return steps;
  }
}

/** How much nearer an event brings the image: browsers tell a trackpad's pinch as a wheel with Ctrl. */
export const zoomOf = (event) =>
  isNotch(event) ? NOTCH_ZOOM ** -Math.sign(event.deltaY) : Math.exp(-event.deltaY / 100);

/** Lines are told by wheels alone; of pixels, wheels tell many at once, in multiples of an old unit. */
function isNotch({ deltaY, deltaMode = 0, wheelDeltaY = 0 }) {
  const way = Math.abs(deltaY);
  return deltaMode !== 0 || way >= 100 || (way >= 50 && wheelDeltaY !== 0 && wheelDeltaY % WHEEL_DELTA === 0);
}
