// What the viewer can scroll through: an indexed series, or files of this computer.

import { fetchPicture, imageUrl, renderFile, searchFile, searchIndexed } from "./api.js";

const CACHED_PICTURES = 80;

/** A cache of the pictures used last, so that scrolling back loads nothing. */
class PictureCache {
  #pictures = new Map();

  get(key, load) {
    let picture = this.#pictures.get(key);
    if (picture) this.#pictures.delete(key);
    else {
      picture = load();
      picture.catch(() => this.#pictures.delete(key));
    }
    this.#pictures.set(key, picture);
    if (this.#pictures.size > CACHED_PICTURES) this.#pictures.delete(this.#pictures.keys().next().value);
    return picture;
  }
}

export class IndexedStack {
  #cache = new PictureCache();

  constructor(series, frames) {
    this.series = series;
    this.frames = frames;
  }

  get length() {
    return this.frames.length;
  }

  find(sopInstanceUid, frameNumber) {
    return this.frames.findIndex(
      (frame) => frame.sop_instance_uid === sopInstanceUid && frame.frame_number === frameNumber,
    );
  }

  picture(index, displayWindow) {
    const frame = this.frames[index];
    const url = imageUrl(frame.sop_instance_uid, frame.frame_number, displayWindow);
    return this.#cache.get(url, () => fetchPicture(url));
  }

  preload(index, displayWindow) {
    return this.picture(index, displayWindow);
  }

  search(index, box, options) {
    return searchIndexed(this.frames[index], box, options);
  }
}

export class FileStack {
  #cache = new PictureCache();

  constructor(files) {
    const byName = (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true });
    this.series = null;
    this.frames = [...files].sort(byName).map((file, id) => ({ file, id, number: 1, expanded: false }));
  }

  get length() {
    return this.frames.length;
  }

  async picture(index, displayWindow) {
    const frame = this.frames[index];
    const picture = await this.#draw(frame, displayWindow);
    this.#expand(frame, picture.frames);
    return picture;
  }

  /** Draw a neighbour, whose further frames stay unknown: they would move the places of those after them. */
  preload(index, displayWindow) {
    return this.#draw(this.frames[index], displayWindow);
  }

  #draw({ file, id, number }, displayWindow) {
    return this.#cache.get(`${id}|${number}|${displayWindow ?? ""}`, () => renderFile(file, number, displayWindow));
  }

  search(index, box, options) {
    const { file, number } = this.frames[index];
    return searchFile(file, number, box, options);
  }

  /** How many frames a file has is known once its first is drawn: put the others behind it. */
  #expand(frame, count) {
    if (frame.expanded || frame.number !== 1) return;
    frame.expanded = true;
    const others = Array.from({ length: count - 1 }, (_, i) => ({ ...frame, number: i + 2 }));
    this.frames.splice(this.frames.indexOf(frame) + 1, 0, ...others);
  }
}
