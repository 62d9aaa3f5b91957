// Indexing files of this computer: uploaded in batches, each a job that is polled until it ends.

import { readJob, startJob } from "../api.js";
import { byId, el, plural } from "../dom.js";

const POLL_MS = 700;
const FILES_PER_JOB = 200;
const OVERHEAD = 1024;

/** Split files into batches, none larger than one request may be. */
export function parts(files, maxBytes) {
  const split = [];
  let bytes = Infinity;
  for (const file of files) {
    if (bytes + file.size + OVERHEAD > maxBytes || split.at(-1).length >= FILES_PER_JOB) {
      split.push([]);
      bytes = OVERHEAD;
    }
    split.at(-1).push(file);
    bytes += file.size + OVERHEAD;
  }
  return split;
}

/** Index files and show the progress; `changed` is called when there may be new series. */
export async function indexFiles(files, changed) {
  const maxBytes = Number(document.body.dataset.maxUpload);
  const fits = files.filter((file) => file.size > 0 && file.size + 2 * OVERHEAD <= maxBytes);
  const refused = files.filter((file) => !fits.includes(file)).map(refuse);
  const done = { sent: 0, indexed: 0, partial: 0, unchanged: 0, failed: refused.length, reasons: refused };
  byId("job").hidden = false;
  byId("job-failures").replaceChildren();
  try {
    for (const part of parts(fits, maxBytes)) await follow(part, done, files.length, changed);
    show(done, files.length, `Indexed ${plural(done.indexed + done.partial, "file")}`);
  } finally {
    byId("job-progress").value = 1;
  }
}

function refuse(file) {
  if (file.size === 0) return "A file is empty (0 bytes): left out.";
  return `A file of ${(file.size / 2 ** 20).toFixed(0)} MiB is more than the server takes (HMAR_MAX_UPLOAD_BYTES): left out.`;
}

async function follow(part, done, total, changed) {
  show(done, total, `Sending ${plural(part.length, "file")}`);
  let job = await startJob(part);
  while (!job.finished) {
    show(add(done, job, part.length), total, "Indexing");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    job = await readJob(job.job_id);
  }
  Object.assign(done, add(done, job, part.length));
  if (job.reason) done.reasons.push(job.reason);
  await changed();
}

function add(done, job, sent) {
  const { indexed, partial, unchanged, failed, dead } = job.counts;
  return {
    sent: done.sent + (job.finished ? sent : 0),
    indexed: done.indexed + indexed,
    partial: done.partial + partial,
    unchanged: done.unchanged + unchanged,
    failed: done.failed + failed + dead,
    reasons: [...done.reasons, ...job.failed_items.map((item) => item.reason)],
  };
}

function show(done, total, doing) {
  const finished = Math.max(done.sent, done.indexed + done.partial + done.unchanged + done.failed);
  const inPart = done.partial ? `, ${done.partial} in part` : "";
  const already = done.unchanged ? `, ${done.unchanged} already there` : "";
  const failed = done.failed ? `, ${done.failed} failed` : "";
  byId("job-text").textContent = `${doing}: ${finished} of ${total} done${inPart}${already}${failed}`;
  byId("job-progress").value = finished / total;
  byId("job-failures").replaceChildren(...done.reasons.slice(0, 20).map((reason) => el("li", { textContent: reason })));
}
