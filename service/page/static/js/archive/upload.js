// Files of this computer that are indexed: sent in parts, each a job, one after another.

import { follow } from "./follow.js";
import { added, doneOf, FAILED, FAULTY, NO_COUNTS, secondsLeft } from "./progress.js";
import { cancelJob, listItems, sendFiles } from "./requests.js";

const FILES_PER_JOB = 200;
const OVERHEAD = 1024;

/** Split files, each with its `file`, into parts, none larger than one request may be. */
export function parts(files, maxBytes) {
  const split = [];
  let bytes = Infinity;
  for (const one of files) {
    const { size } = one.file;
    if (bytes + size + OVERHEAD > maxBytes || split.at(-1).length >= FILES_PER_JOB) {
      split.push([]);
      bytes = OVERHEAD;
    }
    split.at(-1).push(one);
    bytes += size + OVERHEAD;
  }
  return split;
}

/** Why a file cannot be sent at all; null for one that can. */
export function refusal({ size }, maxBytes) {
  if (size === 0) return "It is empty (0 bytes): left out.";
  if (size + 2 * OVERHEAD <= maxBytes) return null;
  return `It has ${(size / 2 ** 20).toFixed(0)} MiB, more than the server takes (HMAR_MAX_UPLOAD_BYTES): left out.`;
}

/** Event: `progress`, with what changed in its properties. */
export class Upload extends EventTarget {
  state = "queued";
  finished = false;
  #job = null;
  #begun = performance.now();
  #isCancelled = false;

  /** `files` have a `file` and the `path` that they are told by; `options` are collection, label, keepNames. */
  constructor(files, options, maxBytes) {
    super();
    this.options = options;
    this.total = files.length;
    const refused = files.map((one) => refusal(one.file, maxBytes));
    /** Files that failed: `name`, `reason`, and what was sent, unless it can only fail again. */
    this.failures = files.flatMap(({ path }, at) => (refused[at] ? [{ name: path, reason: refused[at] }] : []));
    this.counts = added(NO_COUNTS, { failed: this.failures.length });
    this.parts = parts(files.filter((_, at) => !refused[at]), maxBytes);
  }

  /** What of it failed and may be tried again. */
  get again() {
    return this.failures.flatMap(({ sent }) => sent ?? []);
  }

  get secondsLeft() {
    return secondsLeft(doneOf(this.shown), this.total, (performance.now() - this.#begun) / 1000);
  }

  /** The counts of all parts, that of the part in hand among them. */
  get shown() {
    return this.#job ? added(this.counts, this.#job.counts) : this.counts;
  }

  /** Send all parts and follow each to its end; `changed` is called when there may be new series. */
  async run(changed) {
    this.#begun = performance.now();
    const left = [...this.parts];
    try {
      while (left.length && !this.#isCancelled) {
        await this.#index(left[0]);
        left.shift();
        await changed();
      }
    } catch (problem) {
      this.#giveUp(left.flat(), problem);
      throw problem;
    } finally {
      this.finished = true;
      this.#tell(this.#isCancelled ? "cancelled" : "done");
    }
  }

  /** Send nothing more, and end the part in hand before its time. */
  async cancel() {
    this.#isCancelled = true;
    if (this.#job && !this.#job.finished) await cancelJob(this.#job.job_id);
  }

  async #index(part) {
    this.#tell("sending");
    this.#job = await sendFiles(part, this.options);
    const { job_id: id } = this.#job;
    if (this.#isCancelled) await cancelJob(id);
    const job = await follow(id, (now) => {
      this.#job = now;
      this.#tell("running");
    });
    this.#job = null;
    this.counts = added(this.counts, job.counts);
    if (job.counts.failed + job.counts.dead + job.counts.partial) await this.#noteFailures(id, part);
  }

  #giveUp(files, { detail, message }) {
    this.#job = null;
    this.counts = added(this.counts, { failed: files.length });
    this.failures.push(...files.map((sent) => ({ name: sent.path, reason: detail || message, sent })));
  }

  async #noteFailures(jobId, part) {
    for (const { number, state, name, reason } of await listItems(jobId, FAULTY)) {
      const sent = part[number - 1];
      this.failures.push({ name: sent?.path ?? name, reason, sent: FAILED.includes(state) ? sent : undefined });
    }
  }

  #tell(state) {
    this.state = state;
    this.dispatchEvent(new Event("progress"));
  }
}
