// Searches of this login, kept in this browser: what they bring back, when and how they were made, and names of those saved.
//
// A search is kept as the page's address would have it, however long: UIDs and settings, nothing of a patient.

import { decode } from "./address.js";

const MOST_RECENT = 30;
const MOST_SAVED = 100;
const MOST_NAME = 60;
/** Browsers keep 5 MiB for all of a site, at two bytes a character. */
const MOST_CHARACTERS = 2_000_000;

/** The browser's storage; null where it is switched off. */
function storageOf() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** Event: `changed`. Entries are {address, at, name, isFast}; those with a name are saved. */
export class Searches extends EventTarget {
  #key;
  #storage;

  constructor(login, storage = storageOf()) {
    super();
    this.#key = `hmar.searches.${login}`;
    this.#storage = storage;
  }

  /** Those made last, the newest first. */
  get recent() {
    return this.#read().filter(({ name }) => !name);
  }

  /** Those saved, the newest first. */
  get saved() {
    return this.#read().filter(({ name }) => name);
  }

  /** Note that a search was made; the same one is listed once. */
  add(address, at = Date.now(), isFast = false) {
    if (!isSearch(address)) return;
    const others = this.#read().filter((entry) => entry.name || searchText(entry.address) !== searchText(address));
    this.#write([{ address, at, name: "", isFast }, ...others]);
  }

  save({ address, at, isFast }, name) {
    const kept = name.trim().slice(0, MOST_NAME);
    if (!kept) return;
    const others = this.#read().filter((entry) => entry.name !== kept && (entry.name || entry.address !== address));
    this.#write([{ address, at, name: kept, isFast }, ...others]);
  }

  remove({ address, name }) {
    this.#write(this.#read().filter((entry) => entry.address !== address || entry.name !== name));
  }

  clear() {
    this.#storage?.removeItem(this.#key);
    this.dispatchEvent(new Event("changed"));
  }

  /** The login ends: delete all, and keep nothing of a search that is still going on. */
  end() {
    this.clear();
    this.#storage = null;
  }

  /** What is stored: other tabs write too, and so may a reader by hand. */
  #read() {
    try {
      const stored = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      return Array.isArray(stored) ? stored.filter(isEntry) : [];
    } catch {
      return [];
    }
  }

  #write(entries) {
    const saved = entries.filter(({ name }) => name).slice(0, MOST_SAVED);
    const recent = entries.filter(({ name }) => !name).slice(0, MOST_RECENT);
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(fitting([...saved, ...recent])));
    } catch {
      // The browser's storage is full: the history is as it was.
    }
    this.dispatchEvent(new Event("changed"));
  }
}

/** The first of some entries, as many as there is room for. */
function fitting(entries) {
  let room = MOST_CHARACTERS;
  return entries.filter(({ address }) => (room -= address.length) >= 0);
}

const searchText = (address) => JSON.stringify(decode(address).search);
const isSearch = (address) => typeof address === "string" && address.startsWith("?") && decode(address).search !== null;
const isEntry = (entry) =>
  isSearch(entry?.address) && Number.isFinite(entry.at) && typeof entry.name === "string" && entry.name.length <= MOST_NAME;
