// The way through the page in the browser's history: an entry for each deliberate step, so that Back, Forward, a reload
// and a shared link lead to what was on the screen.

import { say } from "../dom.js";
import { decode, encode } from "./address.js";
import { currentState } from "./current.js";
import { restore } from "./restore.js";

/** Safari takes 100 changes of an address in 30 seconds. */
const SETTLE_MS = 350;
const MOST_FILES = 8;
/** Stacks of files are known to the page that opened them alone. */
const PAGE = performance.timeOrigin;

/** Nothing was opened yet: there is nothing to go back to. */
const isBlank = () => location.search === "" && !history.state;

/** A state as an entry of the browser's history: its address, and the search beside it where that is too long for one. */
function entryOf(state) {
  const address = encode(state);
  const isCut = state.search && !decode(address).search;
  return { address, state: isCut ? { search: state.search } : null };
}

const isSameState = (one, other) =>
  one?.files === other?.files && JSON.stringify(one?.search) === JSON.stringify(other?.search);

/** The reader has gone elsewhere while a state was being restored. */
class Elsewhere extends Error {}

export class Trail {
  #app;
  #turn = 0;
  #isOwn = false;
  #isRestoring = true;
  #settling = 0;
  #written = -SETTLE_MS;
  #files = new Map();

  constructor(app) {
    this.#app = app;
  }

  /** Follow the reader from now on. */
  start() {
    const { reading, viewer, compare, guarded } = this.#app;
    for (const event of ["opening", "searching"]) reading.addEventListener(event, () => this.#leave());
    for (const event of ["opened", "query"]) reading.addEventListener(event, () => this.#write("pushState"));
    compare.addEventListener("changed", () => this.#write("pushState"));
    for (const event of ["shown", "regions", "window"]) viewer.addEventListener(event, () => this.#settle());
    compare.addEventListener("moved", () => this.#settle());
    window.addEventListener("popstate", () => guarded(() => this.restore()));
  }

  /** Go to an address of the page, as to a step of the reader. */
  go(address) {
    this.#write("replaceState");
    const entry = entryOf(decode(address));
    history.pushState(entry.state, "", location.pathname + entry.address);
    return this.restore();
  }

  /** Bring the page into the state that its address names. */
  async restore() {
    const turn = (this.#turn += 1);
    this.#isRestoring = true;
    const step = (begin) => this.#step(begin, turn);
    try {
      const { files, page, index, search } = history.state ?? {};
      // What was told of the image before is not of this one.
      say("");
      if (files) await this.#restoreFiles(page === PAGE ? this.#files.get(files) : null, index, step);
      else await restore({ ...decode(location.search), ...(search ? { search } : {}) }, this.#app, step);
    } catch (error) {
      if (!(error instanceof Elsewhere)) throw error;
    } finally {
      if (turn === this.#turn) this.#isRestoring = false;
    }
    this.#write("replaceState");
  }

  async #step(begin, turn) {
    if (turn !== this.#turn) throw new Elsewhere();
    this.#isOwn = true;
    const done = begin();
    this.#isOwn = false;
    const result = await done;
    if (turn !== this.#turn) throw new Elsewhere();
    return result;
  }

  async #restoreFiles(stack, index, step) {
    if (stack) await step(() => this.#app.reading.openStack(stack, stack.items[index] ?? stack.items[0]));
    else say("Files of this computer have no address: open them again.");
  }

  /** Another image is about to come, or a search: what is on the screen now is what this entry leads back to. */
  #leave() {
    if (this.#isOwn) return;
    this.#turn += 1;
    this.#isRestoring = false;
    this.#write("replaceState");
  }

  /** Keep up with the reader: at once after a pause, and else as often as browsers take it. */
  #settle() {
    const left = Math.max(0, this.#written + SETTLE_MS - performance.now());
    this.#settling ||= setTimeout(() => this.#write("replaceState"), left);
  }

  #write(how) {
    clearTimeout(this.#settling);
    this.#settling = 0;
    if (this.#isRestoring) return;
    const { state, address } = this.#entry() ?? {};
    if (address === undefined) return;
    const isSame = address === location.pathname + location.search && isSameState(state, history.state);
    this.#written = performance.now();
    history[isSame || isBlank() ? "replaceState" : how](state, "", address);
  }

  #entry() {
    const { stack, shown } = this.#app.viewer;
    if (shown?.identity.file) {
      this.#keep(stack);
      return { state: { files: stack.id, page: PAGE, index: shown.index }, address: location.pathname };
    }
    const entry = shown && entryOf(currentState(this.#app) ?? {});
    return entry?.address ? { state: entry.state, address: location.pathname + entry.address } : null;
  }

  #keep(stack) {
    this.#files.set(stack.id, stack);
    if (this.#files.size > MOST_FILES) this.#files.delete(this.#files.keys().next().value);
  }
}
