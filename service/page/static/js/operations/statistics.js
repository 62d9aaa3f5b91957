// What the archive holds, in numbers and charts.

import { listCollections, listSeries } from "../api.js";
import { listJobs } from "../archive/requests.js";
import { byId, el } from "../dom.js";
import { bars, byMonth, shortened, summed } from "./chart.js";
import { number, start } from "./page.js";

const MOST_BARS = 12;
const MOST_MONTHS = 24;
const MIB = 2 ** 20;

start(async () => {
  const [collections, series, jobs] = await Promise.all([listCollections(), listSeries(), unfinished()]);
  const files = waiting(jobs);
  byId("figures").replaceChildren(...figures(collections, files));
  byId("charts").replaceChildren(...charts(collections, series, files));
});

async function unfinished() {
  // A login that may not index sees no jobs.
  const pages = ["queued", "running"].map((state) => listJobs({ state, limit: 100 }).catch(() => ({ jobs: [] })));
  return (await Promise.all(pages)).flatMap(({ jobs }) => jobs);
}

/** Files that wait or are in hand, by the collection that they are indexed into. */
function waiting(jobs) {
  return summed(jobs, ({ collection }) => collection, ({ counts }) => counts.queued + counts.running);
}

function figures(collections, files) {
  const total = (name) => collections.reduce((sum, one) => sum + one[name], 0);
  const queued = files.reduce((sum, [, count]) => sum + count, 0);
  return [
    figure("Frames", number(total("frames"))),
    figure("Series", number(total("series"))),
    figure("Studies", number(total("studies"))),
    figure("Patients", number(total("patients"))),
    figure("Windows searched", number(total("windows"))),
    ...(total("held_back") ? [figure("Slices held back in slabs", number(total("held_back")))] : []),
    figure("Codes", `${(total("code_bytes") / MIB).toFixed(1)} MiB`),
    figure("Files in the queue", number(queued)),
  ];
}

function figure(name, value) {
  return el("div", { className: "figure" }, el("span", { className: "muted", textContent: name }), el("strong", { textContent: value }));
}

function charts(collections, series, files) {
  const frames = ({ frames: count }) => count;
  const labels = collections.flatMap(({ labels: held }) => Object.entries(held));
  const byLabel = summed(labels, ([name]) => name, ([, count]) => count);
  const most = (pairs) => shortened(pairs, MOST_BARS);
  return [
    bars("Frames by modality", most(summed(series, ({ modality }) => modality, frames))),
    bars("Frames by body part", most(summed(series, ({ body_part }) => body_part ?? "unknown", frames))),
    bars("Frames by collection", most(summed(collections, ({ collection }) => collection, frames))),
    bars("Frames by label", most(byLabel)),
    bars("Frames by month of the study", byMonth(series, ({ study_date }) => study_date, frames).slice(-MOST_MONTHS)),
    bars("Files in the queue, by collection", most(files)),
  ];
}
