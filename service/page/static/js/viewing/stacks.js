// What can be scrolled through: an indexed series, or files of this computer. A stack holds items, in order; an item
// is a frame that can be loaded, and keeps its identity wherever it comes to stand.

import { readFilePixels, readPixels, searchFile, searchIndexed } from "../api.js";
import { Frame } from "../pixels/frame.js";

/** About the size of a frame that is not known yet. */
const USUAL_BYTES = 512 * 1024;

let stacks = 0;

class Stack {
  items = [];
  id = (stacks += 1);

  get length() {
    return this.items.length;
  }

  get middle() {
    return this.items[Math.floor(this.length / 2)];
  }

  indexOf(item) {
    return this.items.indexOf(item);
  }
}

export class IndexedStack extends Stack {
  constructor(series, frames) {
    super();
    this.series = series;
    this.items = frames.map((listed) => this.#item(listed));
  }

  /** The item of an instance's frame; undefined where the series has none. */
  find(sopInstanceUid, frameNumber) {
    return this.items.find(
      ({ listed }) => listed.sop_instance_uid === sopInstanceUid && listed.frame_number === frameNumber,
    );
  }

  search({ identity }, box, options) {
    return searchIndexed(identity, box, options);
  }

  #item(listed) {
    const { collection, study_uid, series_uid } = this.series;
    const { sop_instance_uid, frame_number } = listed;
    const identity = { collection, study_uid, series_uid, sop_instance_uid, frame_number };
    return {
      key: `${collection}/${sop_instance_uid}/${frame_number}`,
      identity,
      listed,
      bytes: listed.rows * listed.columns * 2,
      load: async (signal) => Frame.of(identity, await readPixels(identity, signal)),
    };
  }
}

export class FileStack extends Stack {
  series = null;

  constructor(files) {
    super();
    const byName = (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true });
    this.items = [...files].sort(byName).map((file, number) => this.#item(file, number, 1));
  }

  search({ identity }, box, options) {
    return searchFile(identity.file, identity.frame_number, box, options);
  }

  #item(file, number, frameNumber) {
    const identity = { file, frame_number: frameNumber };
    const item = {
      key: `file ${this.id}/${number}/${frameNumber}`,
      identity,
      listed: null,
      // Each frame takes an upload of its whole file: few are loaded ahead of a large one.
      bytes: Math.max(USUAL_BYTES, file.size),
      load: async (signal) => {
        const frame = await Frame.of(identity, await readFilePixels(file, frameNumber, signal));
        item.others = frameNumber === 1 ? frame.frames - 1 : 0;
        return frame;
      },
      number,
      others: 0,
    };
    return item;
  }

  /**
   * Put the further frames of a file behind its first, once it is drawn: only then is their number known.
   *
   * Items stay the same, so that who holds one finds it again at its new place.
   */
  expand(item) {
    const { others, number, identity } = item;
    item.others = 0;
    if (!others) return;
    const further = Array.from({ length: others }, (_, i) => this.#item(identity.file, number, i + 2));
    this.items.splice(this.indexOf(item) + 1, 0, ...further);
  }
}
