// The API as functions; an error is a Problem with a title, a detail and a remedy.

const FORM_BYTES = 2048;
/** The path below which a proxy has the product; mostly empty. */
export const ROOT = globalThis.document?.body?.dataset?.root ?? "";

/** Questions are asked anew so often where the server says when to. */
const MOST_TRIES = 5;
const LONGEST_WAIT_S = 30;

/**
 * How the server answers. Events: `reached`, `unreachable`, `busy` (it will answer in some seconds), `expired` (nobody
 * is logged in any more).
 */
export const connection = new EventTarget();

const tell = (how) => connection.dispatchEvent(new Event(how));

/** An error in words. `isPassing`: what was done can be done again once the server answers, or somebody has logged in. */
export class Problem extends Error {
  constructor({ title, detail, remedy, status, isPassing = false }) {
    super(detail);
    Object.assign(this, { title, detail, remedy, status, isPassing });
  }
}

/** The answer to a request; a question is asked again while the server is busy, unless `isOnce`. */
export async function call(path, options = {}) {
  for (let tries = 1; ; tries += 1) {
    const response = await reach(path, options);
    if (response.ok) {
      tell("reached");
      return response;
    }
    const seconds = isQuestion(options) && !options.isOnce && tries < MOST_TRIES ? secondsToWait(response) : 0;
    if (!seconds) throw await problemOf(response);
    tell("busy");
    await pause(seconds, options.signal);
  }
}

async function reach(path, options) {
  const headers = { "X-HMAR-Page": "1", ...options.headers };
  try {
    return await fetch(path, { ...options, headers, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell("unreachable");
    throw new Problem({
      title: "The server does not answer",
      detail: "The request did not get through.",
      remedy: "Check that the server runs, then try again.",
      isPassing: true,
    });
  }
}

/** Whether a request only asks: sent twice, it does nothing twice. */
const isQuestion = ({ method = "GET" }) => method === "GET";

/** The seconds after which a server that cannot answer now asks to be asked again; 0 where it does not. */
function secondsToWait(response) {
  const seconds = response.status === 503 ? Number(response.headers.get("Retry-After")) : 0;
  return seconds > 0 ? Math.min(seconds, LONGEST_WAIT_S) : 0;
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

async function problemOf(response) {
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const said = isProblem
    ? await response.json()
    : { title: `The server answered ${response.status}`, detail: response.statusText, remedy: "", status: response.status };
  if (response.status === 401) {
    tell("expired");
    said.isPassing = true;
    said.title = "You are logged out";
    said.remedy = "Run 'hmar keys login' on the server and open the link it prints.";
  }
  if (response.status === 503) said.isPassing = true;
  return new Problem(said);
}

export const asJson = (response) => response.json();

export function postJson(path, body) {
  return call(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === "") continue;
    const isJson = value.constructor === Object || Array.isArray(value);
    data.append(name, isJson ? JSON.stringify(value) : value);
  }
  return data;
}

/** Return the file if it fits into one request: the server would abort a larger upload. */
function fitting(file) {
  if (file.size + FORM_BYTES <= Number(document.body.dataset.maxUpload)) return file;
  throw new Problem({
    title: "The file is too large",
    detail: `It has ${(file.size / 2 ** 20).toFixed(1)} MiB, which is more than the server takes.`,
    remedy: "Index it with 'hmar index' on the server, or raise HMAR_MAX_UPLOAD_BYTES.",
  });
}

export const listSeries = async () => (await call(`${ROOT}/api/v1/series`).then(asJson)).series;

export async function listFrames(series) {
  const query = new URLSearchParams({ collection: series.collection });
  const path = `${ROOT}/api/v1/series/${encodeURIComponent(series.series_uid)}/frames?${query}`;
  return (await call(path).then(asJson)).frames;
}

/** For each frame of a series, the frame of another that shows the same place. */
export function matchSeries(seriesUid, otherUid) {
  const query = new URLSearchParams({ to: otherUid });
  return call(`${ROOT}/api/v1/series/${encodeURIComponent(seriesUid)}/match?${query}`).then(asJson);
}

/** What is known of an instance in a collection, else in the first that holds it: the collection, and its frames. */
export const readInstance = (uid, collection) =>
  call(`${ROOT}/api/v1/instances/${encodeURIComponent(uid)}${queryOf({ collection })}`).then(asJson);

/** The fields of an address that are given, "" for none. */
function queryOf(fields) {
  const query = String(new URLSearchParams(Object.entries(fields).filter(([, value]) => value)));
  return query && `?${query}`;
}

/** The patient of a study as the PACS has it: asked once, for nothing else waits for it. */
export function readPatient(studyUid, collection, signal) {
  const path = `${ROOT}/api/v1/studies/${encodeURIComponent(studyUid)}/patient?${new URLSearchParams({ collection })}`;
  return call(path, { signal, isOnce: true }).then(asJson);
}

const windowFields = (displayWindow) => {
  const [centre, width, units] = displayWindow?.map(String) ?? [];
  return { centre, width, units };
};

/** Address of an indexed frame's picture. */
export const imageUrl = (frame, displayWindow) =>
  `${framePath(frame)}/image${queryOf({ collection: frame.collection, ...windowFields(displayWindow) })}`;

/** Address of a small picture of an indexed frame, with its regions drawn. */
export function thumbnailUrl({ sop_instance_uid, frame_number = 1, collection }, boxes = [], size = 128) {
  const query = new URLSearchParams({ size, ...(collection ? { collection } : {}) });
  for (const box of boxes) query.append("box", cornersOf(box).join(","));
  return `${framePath({ sop_instance_uid, frame_number })}/image?${query}`;
}

const framePath = ({ sop_instance_uid, frame_number }) =>
  `${ROOT}/api/v1/instances/${encodeURIComponent(sop_instance_uid)}/frames/${frame_number}`;

/** The stored values of an indexed frame; headers say what they are. */
export const readPixels = (identity, signal) =>
  call(`${framePath(identity)}/pixels${queryOf({ collection: identity.collection })}`, { signal });

/** The same of frames of a file of this computer, from one on: as many as are alike, and no more than `count`. */
export function readFilePixels(file, frame, count = 1) {
  return call(`${ROOT}/api/v1/pixels`, { method: "POST", body: form({ file: fitting(file), frame, count }) });
}

const searchPath = (boxes) => `${ROOT}/api/v1/search/${boxes.length ? "region" : "image"}`;
/** A region as the API has it: the four numbers of a box, or the points of an outline. */
export const cornersOf = (region) => (Array.isArray(region) ? region : [region.x, region.y, region.width, region.height]);
/** The same as a text; points of an outline stand apart. */
const asText = (region) => (Array.isArray(region[0]) ? region.map(String).join(" ") : region.join(","));

/** What is searched for: one region, several together, or the whole image. */
function asked(boxes) {
  if (boxes.length > 1) return { regions: boxes.map(cornersOf) };
  return boxes.length ? { region: cornersOf(boxes[0]) } : {};
}

/** An indexed frame as a query, of the collection that it is shown from: another may hold other pixels under its UID. */
const queryOfFrame = ({ sop_instance_uid, frame_number, collection }) => ({ sop_instance_uid, frame_number, query_collection: collection });

export function searchIndexed(frame, boxes, options) {
  return postJson(searchPath(boxes), { ...queryOfFrame(frame), ...asked(boxes), ...options }).then(asJson);
}

export function searchFile(file, frame, boxes, options) {
  const { region, regions } = asked(boxes);
  const fields = { file: fitting(file), frame, region: region && asText(region), regions: regions?.map(asText).join(";") };
  return call(searchPath(boxes), { method: "POST", body: form({ ...fields, ...options }) }).then(asJson);
}

/** Why a frame was found by another: where they are alike. */
export function explainHit(frame, boxes, { sop_instance_uid, frame_number, collection }, options = {}) {
  const region = boxes.length ? { region: cornersOf(boxes[0]) } : {};
  const hit = { sop_instance_uid, frame_number, collection };
  return postJson(`${ROOT}/api/v1/search/why`, { ...queryOfFrame(frame), ...region, hit, ...options }).then(asJson);
}

/** What the site says of its labels. */
export const listLabelNotes = async () => (await call(`${ROOT}/api/v1/labels`).then(asJson)).labels;

/** The collections in numbers, with the frames of each label. */
export const listCollections = async () => (await call(`${ROOT}/api/v1/collections`).then(asJson)).collections;

/** Keep what was said of hits. */
export const keepFeedback = (query, judgements) =>
  postJson(`${ROOT}/api/v1/feedback`, { query, judgements }).then(asJson);

/** Hits as DICOM: files of a ZIP, or what a PACS took of them. */
export async function exportHits(frame, boxes, options) {
  const response = await postJson(`${ROOT}/api/v1/exports`, { ...queryOfFrame(frame), ...asked(boxes), ...options });
  const told = (name) => Number(response.headers.get(`X-HMAR-${name}`));
  if (options.to) return response.json();
  return { zip: await response.blob(), hits: told("Hits"), other_patients: told("Other-Patients"), unreadable: told("Unreadable") };
}

export const logOut = () => call(`${ROOT}/logout`, { method: "POST" });

/** Whether the server answers at all. */
export const isAlive = () =>
  fetch(`${ROOT}/healthz`, { cache: "no-store" }).then(
    ({ ok }) => ok,
    () => false,
  );

/** By what the page of this browser's login is told apart from those of others; null where nobody is logged in. */
export async function currentLogin() {
  const response = await fetch(`${ROOT}/`, { cache: "no-store", credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.body.dataset.login ?? null;
}
