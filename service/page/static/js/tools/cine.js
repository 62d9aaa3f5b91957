// Plays a series: every image is drawn, none is left out for speed; after the last comes the first.

const MOST_RATE = 60;

/** Event: `change` (it plays, or no longer). `clock` is for tests. */
export class Cine extends EventTarget {
  #playing = null;
  #rate = 10;

  constructor(viewer, clock = { now: () => performance.now(), wait }) {
    super();
    Object.assign(this, { viewer, clock });
  }

  get isPlaying() {
    return this.#playing !== null;
  }

  /** Images a second that are aimed at. */
  get rate() {
    return this.#rate;
  }

  set rate(rate) {
    this.#rate = Math.min(MOST_RATE, Math.max(1, Math.round(rate) || 1));
  }

  toggle() {
    return this.isPlaying ? this.stop() : this.play();
  }

  stop() {
    if (!this.isPlaying) return;
    this.#playing = null;
    this.dispatchEvent(new Event("change"));
  }

  /** Play until `stop`, or until another series is opened, or an image cannot be shown. */
  async play() {
    const { viewer, clock } = this;
    const playing = (this.#playing = { stack: viewer.stack });
    this.dispatchEvent(new Event("change"));
    while (this.#playing === playing && this.#goesOn(playing)) {
      const started = clock.now();
      await viewer.goTo((viewer.shown.index + 1) % viewer.shown.count);
      await clock.wait(Math.max(0, 1000 / this.#rate - (clock.now() - started)));
    }
    if (this.#playing === playing) this.stop();
  }

  #goesOn({ stack }) {
    const { shown } = this.viewer;
    return this.viewer.stack === stack && Boolean(shown?.frame) && shown.count > 1;
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
