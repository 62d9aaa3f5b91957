// Frames of files of this computer: each time that a file is sent, a run of its frames comes back.

import { readFilePixels } from "../api.js";
import { Frame } from "./frame.js";

const FRAMES = 32;
/** Runs whose frames are kept until they are asked for one by one. */
const KEPT = 2;

export class FileRuns {
  #runs = []; // {file, first, frames: a promise}, the one used last at the end

  /** A frame of a file by its number, from 1. */
  async frame(file, number) {
    const first = number - ((number - 1) % FRAMES);
    const frames = await this.#run(file, first);
    // A run ends before the first frame that is not like it: that one begins a run of its own.
    return frames[number - first] ?? (await this.#run(file, number))[0];
  }

  #run(file, first) {
    const run = this.#runs.find((known) => known.file === file && known.first === first) ?? this.#read(file, first);
    this.#runs = [...this.#runs.filter((other) => other !== run), run].slice(-KEPT);
    return run.frames;
  }

  #read(file, first) {
    const count = FRAMES - ((first - 1) % FRAMES);
    const identityOf = (place) => ({ file, frame_number: first + place });
    const run = { file, first, frames: readFilePixels(file, first, count).then((answer) => Frame.all(identityOf, answer)) };
    run.frames.catch(() => {
      this.#runs = this.#runs.filter((other) => other !== run);
    });
    return run;
  }
}
