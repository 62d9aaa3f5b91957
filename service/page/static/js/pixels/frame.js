// A frame as its file stores it: which one it is, its values, and what they mean. Nothing of it ever changes.

const ARRAYS = { int16: Int16Array, uint16: Uint16Array, rgb8: Uint8Array };
const HU_FALLBACK = [40, 400];
const PERCENT_FALLBACK = [50, 100];

export class Frame {
  #range = null;

  /**
   * Make a frame of its values and of what the server says of them (docs/api.md, pixels).
   *
   * `identity` names it: series, instance and frame number, or a file of this computer.
   */
  constructor(identity, meaning, values) {
    Object.assign(this, { identity: Object.freeze({ ...identity }), ...meaning, values });
    this.coloured = this.type === "rgb8";
    [this.least, this.most] = this.coloured ? [0, 255] : ends(values);
    Object.freeze(this);
  }

  /** The frame that an answer holds. */
  static async of(identity, response) {
    const [frame] = await Frame.all(() => identity, response);
    return frame;
  }

  /** The frames that an answer holds, alike in all but their positions; `identityOf` takes their places in it, from 0. */
  static async all(identityOf, response) {
    const { count, positions, ...meaning } = meaningOf(response.headers);
    const values = new ARRAYS[meaning.type](await response.arrayBuffer());
    const size = meaning.rows * meaning.columns * (meaning.type === "rgb8" ? 3 : 1);
    if (values.length !== size * count) throw new Error(`${values.length} values came of ${size * count}`);
    // Each has values of its own, so that it can be let go of alone.
    const part = (place) => (count === 1 ? values : values.slice(place * size, (place + 1) * size));
    return Array.from(
      { length: count },
      (_, place) => new Frame(identityOf(place), { ...meaning, position: positions[place] ?? null }, part(place)),
    );
  }

  get bytes() {
    return this.values.byteLength;
  }

  /** The file's own display window, in the units in which windows are set: HU, modality values, or percent. */
  get ownWindow() {
    if (this.units === "presentation") return PERCENT_FALLBACK;
    if (this.windows.length) return this.windows[0];
    if (this.units === "HU") return HU_FALLBACK;
    const [low, high] = this.range();
    return [(low + high + 1) / 2, high - low + 1];
  }

  isPadding(stored) {
    return this.padding !== null && stored >= this.padding[0] && stored <= this.padding[1];
  }

  /** The value of the pixel that covers an image point, in `units`; null outside, in padding, and for colour. */
  valueAt(x, y) {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (this.coloured || column < 0 || row < 0 || column >= this.columns || row >= this.rows) return null;
    const stored = this.values[row * this.columns + column];
    return this.isPadding(stored) ? null : stored * this.slope + this.intercept;
  }

  /** The least and the largest value, in `units`, without padding; [0, 0] where all is padding. */
  range() {
    this.#range ??= this.#findRange();
    return this.#range;
  }

  #findRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const stored of this.values) {
      if (this.isPadding(stored)) continue;
      if (stored < low) low = stored;
      if (stored > high) high = stored;
    }
    if (low > high) return [0, 0];
    const values = [low, high].map((stored) => stored * this.slope + this.intercept);
    return [Math.min(...values), Math.max(...values)];
  }
}

function meaningOf(headers) {
  const told = (name) => headers.get(`X-HMAR-${name}`);
  const lists = (name) => told(name)?.split(";").map((list) => list.split(",").map(Number)) ?? [];
  const numbers = (name) => lists(name)[0] ?? null;
  return {
    rows: Number(told("Rows")),
    columns: Number(told("Columns")),
    frames: Number(told("Frames") ?? 1),
    count: Number(told("Count") ?? 1),
    type: told("Type"),
    units: told("Units"),
    unitsNote: told("Units-Note"),
    slope: Number(told("Slope")),
    intercept: Number(told("Intercept")),
    inverted: told("Inverted") === "true",
    windows: lists("Windows"),
    windowFunction: told("Window-Function"),
    padding: numbers("Padding"),
    spacing: numbers("Spacing"),
    positions: lists("Position"),
    orientation: numbers("Orientation"),
    directions: told("Directions")?.split(",") ?? null,
  };
}

function ends(values) {
  let [least, most] = [values[0], values[0]];
  for (const value of values) {
    if (value < least) least = value;
    else if (value > most) most = value;
  }
  return [least, most];
}
