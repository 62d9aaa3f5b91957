// What the archive's part of the page asks of the API.

import { asJson, call, postJson, ROOT } from "../api.js";

const JOBS = `${ROOT}/api/v1/index-jobs`;
const jobPath = (id) => `${JOBS}/${encodeURIComponent(id)}`;

/** Who is logged in: name, scopes, collections, and until when. */
export const readIdentity = () => call(`${ROOT}/api/v1/me`).then(asJson);

/** Address of a series' picture. */
export function thumbnailUrl({ series_uid, collection }, size) {
  const query = new URLSearchParams({ collection, size });
  return `${ROOT}/api/v1/series/${encodeURIComponent(series_uid)}/image?${query}`;
}

/** Send files, each with its `file` and the `path` that it is told by, to be indexed. */
export function sendFiles(files, { collection, label, keepNames }) {
  const body = new FormData();
  for (const { file } of files) body.append("file", file, file.name);
  if (collection) body.append("collection", collection);
  if (label) body.append("label", label);
  body.append("keep_names", String(keepNames));
  return call(JOBS, { method: "POST", body }).then(asJson);
}

/** Have a folder of the server indexed, or what a PACS has. */
export const submitJob = (wanted) => postJson(JOBS, wanted).then(asJson);

/** Jobs, newest first: `state`, `limit`, `after`. */
export const listJobs = (query = {}) => call(`${JOBS}?${new URLSearchParams(query)}`).then(asJson);
export const readJob = (id) => call(jobPath(id)).then(asJson);
export const cancelJob = (id) => call(`${jobPath(id)}/cancel`, { method: "POST" }).then(asJson);
export const retryJob = (id) => call(`${jobPath(id)}/retry`, { method: "POST" }).then(asJson);
export const eventsPath = (id) => `${jobPath(id)}/events`;

/** The files of a job that are in one of some states. */
export async function listItems(id, states) {
  const pages = states.map((state) => call(`${jobPath(id)}/items?${new URLSearchParams({ state, limit: 1000 })}`));
  const answers = await Promise.all(pages.map((page) => page.then(asJson)));
  return answers.flatMap(({ items }) => items);
}

/** Delete a study or a series from a collection. */
export const deleteFrames = (level, uid, collection) =>
  postJson(`${ROOT}/api/v1/deletions`, { level, uid, collection }).then(asJson);

/** Give the frames of a study or series another label; null takes it away. */
export function changeLabel(level, uid, collection, label) {
  const body = JSON.stringify({ level, uids: [uid], label, collection });
  const headers = { "Content-Type": "application/json" };
  return call(`${ROOT}/api/v1/labels`, { method: "PATCH", body, headers }).then(asJson);
}
