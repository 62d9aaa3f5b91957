// How far indexing is, in numbers and words.

import { plural } from "../dom.js";

const DONE = ["indexed", "partial", "unchanged", "skipped", "failed", "dead", "cancelled"];
/** States of files of which nothing is indexed, and of those with frames that are not. */
export const FAILED = ["failed", "dead"];
export const FAULTY = [...FAILED, "partial"];
const TOLD = {
  partial: "in part",
  unchanged: "already there",
  skipped: "skipped",
  failed: "failed",
  cancelled: "cancelled",
};

export const NO_COUNTS = Object.freeze(Object.fromEntries(DONE.map((state) => [state, 0])));

/** Add the counts of two jobs. */
export const added = (a, b) => Object.fromEntries(DONE.map((state) => [state, a[state] + (b[state] ?? 0)]));

/** The number of files that nothing more happens to. */
export const doneOf = (counts) => DONE.reduce((sum, state) => sum + (counts[state] ?? 0), 0);

/** Say how many files are done, and what became of those that were not simply indexed. */
export function countsText(counts, total) {
  const told = { ...counts, failed: counts.failed + counts.dead };
  const others = Object.entries(TOLD).filter(([state]) => told[state]);
  return [`${doneOf(counts)} of ${total} done`, ...others.map(([state, word]) => `${told[state]} ${word}`)].join(", ");
}

/** Say what a job is doing, or has done. */
export function stateText({ state, finished, counts, kind = "index" }) {
  if (!finished) return state === "cancelled" ? "Ending" : { queued: "Waiting", running: "Indexing" }[state] ?? "Indexing";
  if (state === "cancelled") return "Cancelled";
  if (state === "failed") return "Failed";
  return `${kind === "reindex" ? "Indexed again" : "Indexed"} ${plural(counts.indexed + counts.partial, "file")}`;
}

/** Say how long something still takes; empty where that is not known. */
export function leftText(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 60) return seconds < 5 ? "a few seconds left" : `${Math.ceil(seconds / 5) * 5} s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min left` : `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** How long the rest takes at the pace so far, in seconds; null before anything is done. */
export const secondsLeft = (done, total, passedS) => (done > 0 ? (passedS / done) * (total - done) : null);
