// What the pages of operations ask of the API.

import { asJson, call, postJson, ROOT } from "../api.js";

const API = `${ROOT}/api/v1`;
const get = (path, query = {}) => call(`${API}/${path}?${new URLSearchParams(query)}`).then(asJson);

export const listPacs = async () => (await get("pacs")).pacs;
export const listModels = async () => (await get("models")).models;
export const readCard = (fingerprint) =>
  call(`${API}/models/${encodeURIComponent(fingerprint)}/card`).then((response) => response.text());

export const listKeys = async () => (await get("keys")).keys;
export const makeKey = (wanted) => postJson(`${API}/keys`, wanted).then(asJson);
export const revokeKey = async (name) =>
  (await call(`${API}/keys/${encodeURIComponent(name)}`, { method: "DELETE" }).then(asJson)).keys;

/** Rows of the audit log, newest first: `operation`, `day`, `after`, `limit`. */
export const listAudit = (query) => get("audit", query);
export const readVerification = async () => (await get("archive/verifications")).verification;
export const startVerification = () => call(`${API}/archive/verifications`, { method: "POST" }).then(asJson);
