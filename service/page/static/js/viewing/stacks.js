// What can be scrolled through: an indexed series, or files of this computer. A stack holds items, in order; an item
// is a frame that can be loaded, and keeps its identity wherever it comes to stand.

import { readPixels, searchFile, searchIndexed } from "../api.js";
import { Frame } from "../pixels/frame.js";
import { FileRuns } from "../pixels/runs.js";

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
  #runs = new FileRuns();

  constructor(files) {
    super();
    const byName = (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true });
    this.items = [...files].sort(byName).map((file, number) => this.#item(file, number, 1));
  }

  search({ identity }, box, options) {
    return searchFile(identity.file, identity.frame_number, box, options);
  }

  #item(file, number, frameNumber, bytes = Math.max(USUAL_BYTES, file.size)) {
    const identity = { file, frame_number: frameNumber };
    const item = {
      key: `file ${this.id}/${number}/${frameNumber}`,
      identity,
      listed: null,
      bytes,
      load: async () => {
        const frame = await this.#runs.frame(file, frameNumber);
        item.frames = frame.frames;
        item.bytes = frame.bytes;
        return frame;
      },
      number,
      frames: 1,
      isAlone: frameNumber === 1,
    };
    return item;
  }

  /**
   * Put the further frames of a file behind its first, once it is drawn: only then is their number known.
   *
   * Items stay the same, so that who holds one finds it again at its new place.
   */
  expand(item) {
    const { frames, isAlone, number, identity, bytes } = item;
    if (!isAlone || frames === 1) return;
    item.isAlone = false;
    const further = Array.from({ length: frames - 1 }, (_, i) => this.#item(identity.file, number, i + 2, bytes));
    this.items.splice(this.indexOf(item) + 1, 0, ...further);
  }
}
