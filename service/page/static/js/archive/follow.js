// Following a job until it ends.

import { Problem } from "../api.js";
import { eventsPath, readJob } from "./requests.js";

const POLL_MS = 1000;
const MOST_SILENT = 30;

/**
 * Call `told` with a job whenever something of it has changed, and resolve with it once it is finished.
 *
 * It comes as server-sent events; where these do not come, the job is asked for from time to time.
 */
export async function follow(id, told) {
  return (await listen(id, told)) ?? poll(id, told);
}

/** Resolves with the finished job, or with null where the events have ended without it. */
function listen(id, told) {
  return new Promise((resolve) => {
    const source = new EventSource(eventsPath(id));
    const end = (job) => {
      source.close();
      resolve(job);
    };
    source.addEventListener("progress", (event) => {
      const job = JSON.parse(event.data);
      told(job);
      if (job.finished) end(job);
    });
    source.addEventListener("error", () => end(null));
  });
}

async function poll(id, told) {
  let silent = 0;
  for (;;) {
    try {
      const job = await readJob(id);
      silent = 0;
      told(job);
      if (job.finished) return job;
    } catch (problem) {
      // A server that restarts goes on with its jobs.
      silent += 1;
      if (!(problem instanceof Problem) || problem.status || silent > MOST_SILENT) throw problem;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
