// The API as functions; an error is a Problem with a title, a detail and a remedy.

const FORM_BYTES = 2048;
/** The path below which a proxy has the product; mostly empty. */
const ROOT = globalThis.document?.body?.dataset?.root ?? "";

export class Problem extends Error {
  constructor({ title, detail, remedy, status }) {
    super(detail);
    Object.assign(this, { title, detail, remedy, status });
  }
}

async function call(path, options = {}) {
  const headers = { "X-HMAR-Page": "1", ...options.headers };
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      title: "The server does not answer",
      detail: "The request did not get through.",
      remedy: "Check that the server runs, then try again.",
    });
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

async function problemOf(response) {
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const said = isProblem
    ? await response.json()
    : { title: `The server answered ${response.status}`, detail: response.statusText, remedy: "", status: response.status };
  if (response.status === 401) {
    said.title = "You are logged out";
    said.remedy = "Run 'hmar keys login' on the server and open the link it prints.";
  }
  return new Problem(said);
}

const asJson = (response) => response.json();

function postJson(path, body) {
  return call(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === "") continue;
    data.append(name, value.constructor === Object ? JSON.stringify(value) : value);
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

/** What is known of an instance: its collection, and its frames. */
export const readInstance = (uid) => call(`${ROOT}/api/v1/instances/${encodeURIComponent(uid)}`).then(asJson);

const windowFields = (displayWindow) => {
  const [centre, width, units] = displayWindow ?? [];
  return { centre, width, units };
};

/** Address of an indexed frame's picture. */
export function imageUrl(sopInstanceUid, frameNumber, displayWindow) {
  const query = displayWindow ? `?${new URLSearchParams(windowFields(displayWindow))}` : "";
  return `${framePath({ sop_instance_uid: sopInstanceUid, frame_number: frameNumber })}/image${query}`;
}

const framePath = ({ sop_instance_uid, frame_number }) =>
  `${ROOT}/api/v1/instances/${encodeURIComponent(sop_instance_uid)}/frames/${frame_number}`;

/** The stored values of an indexed frame; headers say what they are. */
export const readPixels = (identity, signal) => call(`${framePath(identity)}/pixels`, { signal });

/** The same of frames of a file of this computer, from one on: as many as are alike, and no more than `count`. */
export function readFilePixels(file, frame, count = 1) {
  return call(`${ROOT}/api/v1/pixels`, { method: "POST", body: form({ file: fitting(file), frame, count }) });
}

const searchPath = (boxes) => `${ROOT}/api/v1/search/${boxes.length ? "region" : "image"}`;
const corners = (box) => [box.x, box.y, box.width, box.height];

/** What is searched for: one region, several together, or the whole image. */
function asked(boxes) {
  if (boxes.length > 1) return { regions: boxes.map(corners) };
  return boxes.length ? { region: corners(boxes[0]) } : {};
}

export function searchIndexed({ sop_instance_uid, frame_number }, boxes, options) {
  return postJson(searchPath(boxes), { sop_instance_uid, frame_number, ...asked(boxes), ...options }).then(asJson);
}

export function searchFile(file, frame, boxes, options) {
  const { region, regions } = asked(boxes);
  const fields = { file: fitting(file), frame, region: region?.join(","), regions: regions?.map(String).join(";") };
  return call(searchPath(boxes), { method: "POST", body: form({ ...fields, ...options }) }).then(asJson);
}

export async function startJob(files) {
  const body = new FormData();
  for (const file of files) body.append("file", file);
  return call(`${ROOT}/api/v1/index-jobs`, { method: "POST", body }).then(asJson);
}

export const readJob = (id) => call(`${ROOT}/api/v1/index-jobs/${encodeURIComponent(id)}`).then(asJson);

export const logOut = () => call(`${ROOT}/logout`, { method: "POST" });
