// Jobs of the archive while they run: those that this page sends, and those that others have begun.

import { byId, say } from "../dom.js";
import { follow } from "./follow.js";
import { JobCard } from "./job_card.js";
import { countsText, doneOf, leftText, stateText } from "./progress.js";
import { cancelJob, listJobs, readJob, retryJob } from "./requests.js";
import { Upload } from "./upload.js";

const UNFINISHED = ["running", "queued"];
const SHOWN = 5;

export class Jobs {
  /** `changed` is called when there may be new series, `guarded` runs what the user asks for. */
  constructor({ changed, guarded }) {
    Object.assign(this, { changed, guarded });
  }

  /** Index files, each with a `file` and a `path`. */
  async send(files, options) {
    const upload = new Upload(files, options, Number(document.body.dataset.maxUpload));
    const card = this.#card({
      cancel: () => upload.cancel(),
      retry: () => {
        card.element.remove();
        return this.send(upload.again, options);
      },
    });
    const show = () => card.show(shownUpload(upload));
    upload.addEventListener("progress", show);
    show();
    // Have the browser ask before the page is left: what was not sent yet would be lost. One of its own for each upload.
    const stay = (event) => event.preventDefault();
    window.addEventListener("beforeunload", stay);
    try {
      await upload.run(this.changed);
    } finally {
      window.removeEventListener("beforeunload", stay);
    }
    say(countsText(upload.counts, upload.total));
  }

  /** Show the jobs that are not finished: after a reload they go on. */
  async resume() {
    const pages = await Promise.all(UNFINISHED.map((state) => listJobs({ state, limit: SHOWN })));
    const jobs = pages.flatMap((page) => page.jobs).slice(0, SHOWN);
    await Promise.all(jobs.map((job) => this.follow(job)));
  }

  /** Show a job until it ends. */
  async follow({ job_id: id, ...first }) {
    const card = this.#card({
      cancel: () => cancelJob(id),
      retry: async () => {
        card.element.remove();
        await this.follow(await retryJob(id));
      },
    });
    const show = (job, failed = []) => card.show(shownJob(job, failed));
    show(first);
    await follow(id, show);
    const job = await readJob(id);
    show(job, job.failed_items);
    await this.changed();
  }

  #card(actions) {
    const run = (action) => action && (() => this.guarded(action));
    const card = new JobCard({
      cancel: run(actions.cancel),
      retry: run(actions.retry),
      dismiss: () => card.element.remove(),
    });
    byId("jobs").prepend(card.element);
    return card;
  }
}

/** What a card shows of files that this page sends. */
export function shownUpload(upload) {
  const { total, failures, finished, shown } = upload;
  const doing = upload.state === "sending" ? "Sending" : stateText({ ...upload, counts: shown });
  const again = upload.again.length ? ["retry"] : [];
  return {
    text: `${doing}: ${countsText(shown, total)}`,
    share: finished ? 1 : doneOf(shown) / total,
    left: finished ? "" : leftText(upload.secondsLeft),
    failures,
    can: finished ? [...again, "dismiss"] : ["cancel"],
  };
}

const placeOf = ({ collection, label }) => `into ${collection}${label ? `, label ${label}` : ""}`;

/** What a card shows of a job of the server. */
export function shownJob(job, failedItems = []) {
  const { counts, total, finished } = job;
  const failures = failedItems.map(({ name, number, reference, reason }) => ({
    name: name ?? (number ? `File ${number}` : reference),
    reason,
  }));
  if (job.reason) failures.unshift({ name: "The job", reason: job.reason });
  // Files that were sent are not kept when they fail; those have numbers.
  const isKept = !failedItems.some(({ number }) => number);
  const hasFailed = counts.failed + counts.dead > 0 || job.state === "failed";
  const isRetried = finished && job.state !== "cancelled" && hasFailed && isKept;
  return {
    text: `${stateText(job)}: ${countsText(counts, total)}, ${placeOf(job)}`,
    share: finished ? 1 : doneOf(counts) / (total || 1),
    left: finished ? "" : leftText(job.seconds_left),
    failures,
    failed: finished ? counts.failed + counts.dead + counts.partial + (job.reason ? 1 : 0) : failures.length,
    can: finished ? [...(isRetried ? ["retry"] : []), "dismiss"] : ["cancel"],
  };
}
