// Following a job until it ends.

import { Problem } from "../api.js";
import { eventsPath, readJob } from "./requests.js";

const POLL_MS = 1000;
const MOST_SILENT = 30;
/** Each stream of events holds one of the six connections that a browser opens to a server. */
const MOST_STREAMS = 2;

let [streams, asking] = [0, 0];

/**
 * Call `told` with a job whenever something of it has changed, and resolve with it once it is finished.
 *
 * It comes as server-sent events; where these do not come, or other jobs have the streams, it is asked for from time to
 * time: the more jobs are, the more seldom each.
 */
export async function follow(id, told) {
  return (streams < MOST_STREAMS ? await listen(id, told) : null) ?? poll(id, told);
}

/** Resolves with the finished job, or with null where the events have ended without it. */
function listen(id, told) {
  return new Promise((resolve) => {
    const source = new EventSource(eventsPath(id));
    streams += 1;
    const end = (job) => {
      source.close();
      streams -= 1;
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
  asking += 1;
  try {
    return await askUntilFinished(id, told);
  } finally {
    asking -= 1;
  }
}

async function askUntilFinished(id, told) {
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
    await new Promise((resolve) => setTimeout(resolve, POLL_MS * asking));
  }
}
