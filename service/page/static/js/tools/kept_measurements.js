// Measurements over a reload: in the session storage of this tab, as UIDs and numbers, for one login.

const NAME = "hmar.measured";
const SETTLE_MS = 300;
const MOST_CHARACTERS = 200_000;
/** Collection, instance and frame: files of this computer are told by nothing that lasts. */
const FRAME = /^[\w.-]{1,64}\/[!-~]{1,64}\/\d{1,9}$/;
const LEAST_POINTS = { length: 2, area: 3 };

/** The storage of this tab; null where it is switched off. */
function storageOf() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/** Keeps what `measurements` has from now on, and brings back what the same login had measured in this tab. */
export class KeptMeasurements {
  #storage;
  #settling = 0;

  constructor(measurements, login, storage = storageOf()) {
    Object.assign(this, { measurements, login });
    this.#storage = storage;
    for (const [key, kept] of this.#read()) measurements.set({ key }, kept);
    measurements.addEventListener("change", () => {
      this.#settling ||= setTimeout(() => this.write(), SETTLE_MS);
    });
  }

  /** Keep what there is now; of too much, what was measured first goes. */
  write() {
    clearTimeout(this.#settling);
    this.#settling = 0;
    const frames = [];
    let room = MOST_CHARACTERS;
    for (const [key, measured] of this.measurements.entries.reverse()) {
      if (!FRAME.test(key) || !measured.length) continue;
      room -= key.length + JSON.stringify(measured).length;
      if (room < 0) break;
      frames.unshift([key, measured]);
    }
    try {
      this.#storage?.setItem(NAME, JSON.stringify({ login: this.login, frames }));
    } catch {
      // The storage is full: what was kept before stays.
    }
  }

  /** The login ends, or what was measured is gone from the archive: keep nothing, from now on either. */
  end() {
    clearTimeout(this.#settling);
    this.#storage?.removeItem(NAME);
    this.#storage = null;
  }

  #read() {
    try {
      const { login, frames } = JSON.parse(this.#storage?.getItem(NAME) ?? "{}");
      return login === this.login ? frames.filter(isFrame) : [];
    } catch {
      return [];
    }
  }
}

const isFrame = ([key, measured]) => FRAME.test(key) && measured.every(isMeasurement);

function isMeasurement({ kind, points }) {
  const isPoint = (point) => point.length === 2 && point.every(Number.isFinite);
  return points.length >= LEAST_POINTS[kind] && points.every(isPoint);
}
