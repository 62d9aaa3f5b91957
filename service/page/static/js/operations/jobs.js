// Index jobs: how far each is, what failed, and what can be done about it.

import { follow } from "../archive/follow.js";
import { JobCard } from "../archive/job_card.js";
import { shownJob } from "../archive/jobs.js";
import { FAULTY } from "../archive/progress.js";
import { cancelJob, listItems, listJobs, readIdentity, retryJob, submitJob } from "../archive/requests.js";
import { isAllowed } from "../archive/rights.js";
import { byId, say } from "../dom.js";
import { guarded, start, timeText } from "./page.js";

const PAGE = 50;
/** Where the jobs that are shown go on; another one for each answer. */
let shown = { state: "", after: null };

start(async () => {
  await first();
  const identity = await readIdentity();
  byId("folder-form").hidden = !isAllowed(identity, ["index"]) || identity.collections !== null;
  byId("folder-form").addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(indexFolder);
  });
  byId("state").addEventListener("change", () => guarded(first));
  byId("more").addEventListener("click", () => guarded(more));
});

async function indexFolder() {
  const label = byId("label").value.trim();
  const wanted = { folder: byId("folder").value, collection: byId("collection").value.trim(), ...(label ? { label } : {}) };
  const job = await submitJob(wanted);
  byId("list").prepend(cardOf(job));
  say("The folder is being indexed");
}

async function first() {
  shown = { state: byId("state").value, after: null };
  byId("list").replaceChildren();
  await more();
}

async function more() {
  const before = shown;
  const { state, after } = before;
  const page = await listJobs({ limit: PAGE, ...(state ? { state } : {}), ...(after ? { after } : {}) });
  // Other jobs were asked for since, or these twice.
  if (shown !== before) return;
  shown = { state, after: page.next_after };
  byId("list").append(...page.jobs.map(cardOf));
  byId("more").hidden = shown.after === null;
  say(byId("list").childElementCount ? "" : "There are no such jobs");
}

/** The card of a job, which is followed until it ends. */
function cardOf(job) {
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
