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
  return `${ROOT}/api/v1/instances/${encodeURIComponent(sopInstanceUid)}/frames/${frameNumber}/image${query}`;
}

export const fetchPicture = async (url) => pictureOf(await call(url));

export async function renderFile(file, frame, displayWindow) {
  const body = form({ file: fitting(file), frame, ...windowFields(displayWindow) });
  return pictureOf(await call(`${ROOT}/api/v1/render`, { method: "POST", body }));
}

/** Read a picture and what its headers say: size, spacing [row, column] in mm, units, display window. */
async function pictureOf(response) {
  const pair = (name) => response.headers.get(name)?.split(",").map(Number) ?? null;
  return {
    bitmap: await createImageBitmap(await response.blob()),
    rows: Number(response.headers.get("X-HMAR-Rows")),
    columns: Number(response.headers.get("X-HMAR-Columns")),
    frames: Number(response.headers.get("X-HMAR-Frames") ?? 1),
    units: response.headers.get("X-HMAR-Units"),
    spacing: pair("X-HMAR-Spacing"),
    displayWindow: pair("X-HMAR-Window"),
  };
}

const searchPath = (box) => `${ROOT}/api/v1/search/${box ? "region" : "image"}`;
const corners = (box) => [box.x, box.y, box.width, box.height];

export function searchIndexed(frame, box, options) {
  const body = { sop_instance_uid: frame.sop_instance_uid, frame_number: frame.frame_number, ...options };
  if (box) body.region = corners(box);
  return postJson(searchPath(box), body).then(asJson);
}

export function searchFile(file, frame, box, options) {
  const body = form({ file: fitting(file), frame, region: box ? corners(box).join(",") : null, ...options });
  return call(searchPath(box), { method: "POST", body }).then(asJson);
}

export async function startJob(files) {
  const body = new FormData();
  for (const file of files) body.append("file", file);
  return call(`${ROOT}/api/v1/index-jobs`, { method: "POST", body }).then(asJson);
}

export const readJob = (id) => call(`${ROOT}/api/v1/index-jobs/${encodeURIComponent(id)}`).then(asJson);

export const logOut = () => call(`${ROOT}/logout`, { method: "POST" });
