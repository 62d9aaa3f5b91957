// The card of an index job on a page of operations: followed until it ends, with what can be done about it.

import { follow } from "../archive/follow.js";
import { JobCard } from "../archive/job_card.js";
import { shownJob } from "../archive/jobs.js";
import { FAULTY } from "../archive/progress.js";
import { cancelJob, listItems, retryJob } from "../archive/requests.js";
import { guarded, timeText } from "./page.js";

/** The card of a job, which is followed until it ends. */
export function cardOf(job) {
  let latest = job;
  const card = new JobCard({
    cancel: () => guarded(() => cancelJob(job.job_id)),
    failures: () => guarded(async () => show(latest, await listItems(job.job_id, FAULTY))),
    retry: () => guarded(async () => card.element.replaceWith(cardOf(await retryJob(job.job_id)))),
  });
  const show = (now, failures) => {
    latest = now;
    card.show(shownHere(now, failures));
  };
  show(job);
  if (!job.finished) guarded(async () => show(await follow(job.job_id, show)));
  return card.element;
}

/** What a card shows here; which files failed is asked for by its button. */
function shownHere(job, failures) {
  const shown = shownJob(job, failures);
  const can = shown.can.filter((name) => name !== "dismiss");
  const { failed, dead, partial } = job.counts;
  const isAsked = job.finished && failed + dead + partial > 0 && !failures;
  return {
    ...shown,
    can: isAsked ? ["failures", ...can] : can,
    failed: failures ? shown.failed : shown.failures.length,
    left: [shown.left, timeText(job.created_at)].filter(Boolean).join(" · "),
  };
}
