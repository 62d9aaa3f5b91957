// A second viewer beside the first: another series, or a hit beside its query.

import { Problem, readInstance } from "../api.js";
import { byId } from "../dom.js";
import { launched } from "../state/launch.js";
import { NOTHING } from "../state/address.js";
import { Viewer } from "../viewing/viewer.js";

/** Events: `changed` (opened, closed, or another series), `moved` (another image of it is shown). */
export class Compare extends EventTarget {
  /** Whether the image beside is to be the one that lies beside: a series was chosen, and no image of it. */
  isFollowing = false;
  #isOpen = false;
  #opening = 0;

  constructor({ store, viewer, archive, reading }) {
    super();
    Object.assign(this, { store, main: viewer, archive, reading });
    this.viewer = new Viewer({ picture: byId("beside-picture"), marks: byId("beside-canvas") }, store);
    this.viewer.addEventListener("shown", () => this.#isOpen && this.dispatchEvent(new Event("moved")));
  }

  get isOpen() {
    return this.#isOpen;
  }

  /** Which image is shown beside, as an address names it; null for none. */
  get beside() {
    const { sop_instance_uid: instance, frame_number: frame, collection } = (this.#isOpen && this.viewer.shown?.identity) || {};
    return instance ? { instance, frame, collection } : null;
  }

  /** Show what the reader most likely means: a hit that is open beside its query, else another series of the study. */
  async start() {
    const { shown, found } = this.main;
    if (this.reading.isAway && shown?.frame) {
      const isLatest = this.#begin();
      await this.reading.back();
      if (isLatest()) await this.#show(shown.stack, shown.item, { found });
    } else await this.openSeries(this.#other());
  }

  /** Open a series beside, at its middle. */
  async openSeries(series) {
    const isLatest = this.#begin();
    const stack = await this.reading.stackOf(series);
    if (isLatest()) await this.#show(stack, stack.middle, { isFollowing: true });
  }

  async openHit(hit) {
    const isLatest = this.#begin();
    const found = this.reading.placeIn(hit);
    const { stack, item } = await this.reading.findHit(hit);
    if (isLatest()) await this.#show(stack, item, { found });
  }

  /** Show what an address names beside, with the box of a hit if it is one; null closes. */
  async restore(beside, hit) {
    if (!beside) return this.close();
    if (hit) return this.openHit(hit);
    const isLatest = this.#begin();
    const { series, itemIn } = await launched({ ...NOTHING, ...beside }, this.archive, readInstance);
    const stack = await this.reading.stackOf(series);
    return isLatest() ? this.#show(stack, itemIn(stack)) : undefined;
  }

  close() {
    this.#begin();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.store.leave(this.viewer);
    this.dispatchEvent(new Event("changed"));
  }

  /** Begin to open something beside, or to close; the function says whether nothing else was begun since. */
  #begin() {
    const opening = (this.#opening += 1);
    return () => opening === this.#opening;
  }

  async #show(stack, item, { found = null, isFollowing = false } = {}) {
    Object.assign(this, { isFollowing });
    this.#isOpen = true;
    this.dispatchEvent(new Event("opening"));
    await this.viewer.open(stack, item, { found });
    this.dispatchEvent(new Event("changed"));
  }

  #other() {
    const own = this.main.shown?.identity ?? {};
    const others = this.archive.series.filter((one) => one.series_uid !== own.series_uid);
    const other = others.find((one) => one.study_uid === own.study_uid) ?? others[0] ?? this.archive.series[0];
    if (!other) throw nothing();
    return other;
  }
}

const nothing = () =>
  new Problem({ title: "Nothing to compare with", detail: "No series is indexed.", remedy: "Index one, then compare again." });
