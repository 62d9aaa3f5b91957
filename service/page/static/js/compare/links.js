// Two viewers that move together: scrolled by anatomy, with one window, zoomed and turned alike.

import { matchSeries } from "../api.js";
import { ownPlaces, placesOf } from "./places.js";

const VIEW = ["zoom", "panX", "panY", "turns", "flipped"];
/** The server did not say how two series lie beside one another; it is asked again with the next pair, or once it answers. */
const UNKNOWN = "unknown";
const ORDERS = { forward: "in the same order", backward: "in reverse order", none: "in no common order" };

/**
 * Links a viewer and the one beside it. The one that the reader handles leads.
 *
 * Event: `told`; `words` says how the two lie beside one another.
 */
export class Links extends EventTarget {
  scrolls = true;
  views = true;
  words = "";
  #places = new Map();
  #stacks = [];
  #items = new Map();
  #order = "";

  constructor(main, beside) {
    super();
    Object.assign(this, { main, beside, leader: main });
    for (const [from, to] of [[main, beside], [beside, main]]) {
      from.addEventListener("shown", () => this.#shown(from, to));
      from.addEventListener("window", () => this.#window(from, to));
    }
    for (const type of ["pointerdown", "wheel", "keydown", "input"]) {
      document.addEventListener(type, ({ target }) => this.#lead(target), { capture: true, passive: true });
    }
  }

  /** Whether another series has come on the left since the two were paired. */
  get isOther() {
    const [main, beside] = this.#stacks;
    return Boolean(main) && main !== this.main.stack && beside === this.beside.stack;
  }

  /** Find out how the two series that are shown lie beside one another; the image beside is moved to its place if asked. */
  async pair(isMoved) {
    const stacks = [this.main.stack, this.beside.stack];
    if (this.#order !== UNKNOWN && stacks.every((stack, i) => stack === this.#stacks[i])) return;
    this.#stacks = stacks;
    this.#places = new Map();
    this.#order = "";
    this.#items = new Map([this.main, this.beside].map((viewer) => [viewer, viewer.shown?.item]));
    this.#window(this.main, this.beside);
    if (this.views) this.#view(this.main.placement, this.beside);
    this.#tell();
    if (!stacks.every((stack) => stack?.series)) return;
    const isCurrent = () => stacks.every((stack, i) => stack === this.#stacks[i]);
    try {
      const [places, order] = await this.#match(...stacks);
      if (!isCurrent()) return;
      this.#places = places;
      this.#order = order;
      if (isMoved) this.#follow(this.main, this.beside);
    } catch (problem) {
      if (isCurrent()) this.#order = UNKNOWN;
      throw problem;
    } finally {
      if (isCurrent()) this.#tell();
    }
  }

  forget() {
    this.#stacks = [];
    this.#places = new Map();
  }

  async #match(own, other) {
    if (own === other) return [ownPlaces(own), "forward"];
    const [uid, otherUid] = [own, other].map(({ series }) => series.series_uid);
    const [there, back] = await Promise.all([matchSeries(uid, otherUid), matchSeries(otherUid, uid)]);
    return [new Map([...placesOf(there, own, other), ...placesOf(back, other, own)]), there.order];
  }

  #lead(target) {
    this.leader = target === this.beside.canvas ? this.beside : this.main;
  }

  #shown(from, to) {
    if (!this.#stacks.length) return;
    const item = from.shown?.item;
    const isOther = item && item !== this.#items.get(from);
    this.#items.set(from, item);
    if (from === this.leader && to.shown) {
      if (isOther && this.scrolls) this.#follow(from, to);
      if (this.views) this.#view(from.placement, to);
    }
    if (isOther) this.#tell();
  }

  #follow(from, to) {
    const place = this.#places.get(from.shown?.item);
    const index = place ? (to.stack?.indexOf(place.item) ?? -1) : -1;
    if (index >= 0 && place.item !== to.wish) to.goTo(index);
  }

  #window(from, to) {
    const isSame = String(from.chosenWindow) === String(to.chosenWindow);
    if (this.#stacks.length && this.views && !isSame) to.setWindow(from.chosenWindow);
  }

  #view(placement, to) {
    if (VIEW.every((name) => placement[name] === to.placement[name])) return;
    for (const name of VIEW) to.placement[name] = placement[name];
    to.draw();
  }

  #tell() {
    this.words = this.#said();
    this.dispatchEvent(new Event("told"));
  }

  #said() {
    if (!this.#stacks.every((stack) => stack?.series)) return "Files of this computer do not scroll by anatomy.";
    if (!this.#order) return "Looking for the same places…";
    if (this.#order === UNKNOWN) return "Which images lie beside one another is not known.";
    const place = this.#places.get(this.main.shown?.item);
    const nearest = place && this.beside.stack.indexOf(place.item) + 1;
    const beside = place ? `; nearest is image ${nearest}, ${place.distance} of 128 bits differ` : "";
    return `The series run ${ORDERS[this.#order]}${beside}.`;
  }
}
