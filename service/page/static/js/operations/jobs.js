// Index jobs: how far each is, what failed, and what can be done about it.

import { listJobs, readIdentity, submitJob } from "../archive/requests.js";
import { isAllowed } from "../archive/rights.js";
import { byId, say } from "../dom.js";
import { cardOf } from "./job_cards.js";
import { guarded, start } from "./page.js";

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
