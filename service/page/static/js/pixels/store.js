// Frames in memory, within a bound: what is on screen first, then what lies near it, as far as the bound goes.

const MIB = 2 ** 20;
/** Browsers open six connections to a server; some are left to who asks for more than pixels. */
const PARALLEL = 4;

/** The memory that frames may take: less on devices that say they have little. */
export const frameBytes = (deviceGib = globalThis.navigator?.deviceMemory ?? 8) => (deviceGib <= 4 ? 192 : 512) * MIB;

/**
 * Loads the frames of stacks' items, and keeps them.
 *
 * An item has a `key` of its own, `bytes` (about), and `load(signal)`, which gives its Frame.
 */
export class FrameStore {
  #frames = new Map(); // by key, the one used last at the end
  #loads = new Map(); // by key: {promise, abort}
  #plans = new Map(); // by who asks: items, the nearest first
  #planned = []; // as far as the memory goes
  #isFull = false;
  #bytes = 0;

  constructor(limit = frameBytes(), parallel = PARALLEL) {
    Object.assign(this, { limit, parallel });
  }

  get bytes() {
    return this.#bytes;
  }

  /** The frame of an item if it is in memory; it then counts as used. */
  peek({ key }) {
    const frame = this.#frames.get(key);
    if (frame) {
      this.#frames.delete(key);
      this.#frames.set(key, frame);
    }
    return frame ?? null;
  }

  has({ key }) {
    return this.#frames.has(key);
  }

  /** Load an item now, before all that is only planned. */
  async get(item) {
    const frame = this.peek(item);
    if (frame) return frame;
    const load = this.#loads.get(item.key) ?? this.#start(item);
    load.isPlanned = false;
    return load.promise;
  }

  /** Plan to load the items around one, those ahead first; what is on its way for an older plan is given up. */
  follow(who, items, index, direction = 1) {
    this.#plans.set(who, around(items, index, direction));
    this.#plan();
  }

  /** Forget a plan: nothing more is loaded for it. */
  leave(who) {
    this.#plans.delete(who);
    this.#plan();
  }

  /** Let go of an item's frame: its file may hold other pixels now. */
  drop({ key }) {
    this.#bytes -= this.#frames.get(key)?.bytes ?? 0;
    this.#frames.delete(key);
  }

  /** Cut the plans to what fits: each has an equal part of the memory. */
  #plan() {
    const part = this.limit / this.#plans.size;
    this.#planned = [...this.#plans.values()].flatMap((items) => fitting(items, part));
    this.#isFull = false;
    const keys = this.#plannedKeys();
    for (const [key, load] of this.#loads) if (load.isPlanned && !keys.has(key)) this.#giveUp(key, load);
    this.#loadPlanned();
  }

  /** Its place is free at once: whoever asks for the item now gets a load of its own, not the one that ends. */
  #giveUp(key, load) {
    this.#loads.delete(key);
    load.abort.abort();
  }

  #plannedKeys() {
    return new Set(this.#planned.map(({ key }) => key));
  }

  #loadPlanned() {
    for (const item of this.#planned) {
      if (this.#isFull || this.#loads.size >= this.parallel) return;
      if (this.#frames.has(item.key) || this.#loads.has(item.key) || item.failed) continue;
      this.#start(item, true).promise.catch(() => null);
    }
  }

  #start(item, isPlanned = false) {
    const abort = new AbortController();
    const load = { abort, isPlanned };
    load.promise = this.#load(item, load);
    this.#loads.set(item.key, load);
    return load;
  }

  async #load(item, load) {
    try {
      const frame = await item.load(load.abort.signal);
      item.failed = false;
      this.#keep(item.key, frame);
      return frame;
    } catch (error) {
      // Not asked for again by a plan; whoever wants to see it asks again.
      if (error.name !== "AbortError") item.failed = true;
      throw error;
    } finally {
      if (this.#loads.get(item.key) === load) this.#loads.delete(item.key);
      this.#loadPlanned();
    }
  }

  #keep(key, frame) {
    this.drop({ key });
    this.#frames.set(key, frame);
    this.#bytes += frame.bytes;
    if (this.#bytes <= this.limit) return;
    const planned = this.#plannedKeys();
    const unplanned = [...this.#frames.keys()].filter((other) => !planned.has(other));
    this.#free(unplanned, key);
    // Frames are larger than was thought: the farthest go, and no more come until something is looked at.
    this.#isFull = this.#bytes > this.limit;
    this.#free([...planned].reverse(), key);
  }

  #free(keys, kept) {
    for (const key of keys) if (key !== kept && this.#bytes > this.limit) this.drop({ key });
  }
}

/** The first of some items, as many as fit into so many bytes; one at least. */
function fitting(items, limit) {
  let bytes = 0;
  const end = items.findIndex((item) => (bytes += item.bytes) > limit);
  return end < 0 ? items : items.slice(0, Math.max(1, end));
}

/** Items from the nearest to one on; those ahead count as half as far as those behind. */
function around(items, index, direction) {
  const cost = (other) => {
    const ahead = (other - index) * direction;
    return ahead >= 0 ? ahead : 0.5 - 2 * ahead;
  };
  return items
    .map((item, other) => [cost(other), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
