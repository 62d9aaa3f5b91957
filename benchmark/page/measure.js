// What the benchmark does in the page, and the times that it takes. Each function resolves to lists of numbers.

const modules = "/static/js";
const PATIENCE_MS = 100_000;
const BOX_SHARE = 0.125;

const byId = (id) => document.getElementById(id);
const redraw = () => new Promise((resolve) => requestAnimationFrame(resolve));

async function until(condition, what) {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`the page does not get so far: ${what}`);
    await redraw();
  }
}

/** The page's own viewer and what it loads from, which no page hands out. */
async function caught() {
  const { Viewer } = await import(`${modules}/viewing/viewer.js`);
  const { FrameStore } = await import(`${modules}/pixels/store.js`);
  const parts = {};
  for (const [name, { prototype }, method] of [["viewer", Viewer, "open"], ["store", FrameStore, "follow"]]) {
    const own = prototype[method];
    prototype[method] = function keepAndDo(...given) {
      parts[name] = this;
      return own.apply(this, given);
    };
  }
  return parts;
}

/** Count what is drawn while something moves, and the gaps between redraws of the screen. */
async function watched(viewer, wanted, move) {
  let drawn = 0;
  let last = viewer.shown;
  const count = () => {
    if (viewer.shown !== last) drawn += 1;
    last = viewer.shown;
  };
  viewer.addEventListener("shown", count);
  const times = [await redraw()];
  let isMoving = true;
  const clock = (async () => {
    while (isMoving) times.push(await redraw());
  })();
  await move();
  await until(() => !viewer.isWaiting, "the last image");
  isMoving = false;
  await clock;
  viewer.removeEventListener("shown", count);
  const gaps = times.slice(1).map((time, place) => time - times[place]);
  return { gaps_ms: gaps, wanted: [wanted], skipped: [wanted - drawn] };
}

async function measuring() {
  const parts = await caught();
  const press = (key) => byId("canvas").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const at = (index) => parts.viewer.shown?.frame && parts.viewer.shown.index === index;

  return {
    /** Open the first series of a collection. */
    async open(collection) {
      const isOf = (row) => row.dataset.key.includes(`${collection}/`);
      const row = () => [...document.querySelectorAll("#series .row.series")].find(isOf);
      // Of a long list the page has the rows alone that are in sight.
      byId("series-text").value = collection;
      byId("series-text").dispatchEvent(new Event("input"));
      await until(row, "the list of series");
      row().click();
      // The volume is of one patient, whose images are left out otherwise.
      document.querySelector("#among input[value=all]").click();
      await until(() => parts.viewer?.shown?.frame, "a series");
      return {};
    },

    /** How many slices are in memory, and whether that is full. */
    async held() {
      const { viewer, store } = parts;
      const isFull = store.bytes + viewer.shown.frame.bytes > store.limit;
      return { slices: [viewer.stack.items.filter((item) => store.has(item)).length], full: [Number(isFull)] };
    },

    async begin() {
      await parts.viewer.goTo(0);
      return {};
    },

    /** Go through the volume and back: at a rate, or, without one, by a step at each redraw. */
    async scroll(stepsPerSecond) {
      const { viewer } = parts;
      const steps = viewer.stack.length - 1;
      return watched(viewer, 2 * steps, async () => {
        for (const key of ["ArrowDown", "ArrowUp"]) {
          if (stepsPerSecond) await everySoOften(1000 / stepsPerSecond, steps, () => press(key));
          else for (let step = 0; step < steps; step += 1) await redraw().then(() => press(key));
        }
      });
    },

    /** Change the display window at each redraw. */
    async drag(changes) {
      const { viewer } = parts;
      const { units } = viewer.shown.frame;
      return watched(viewer, changes, async () => {
        for (let change = 0; change < changes; change += 1) {
          await redraw();
          viewer.setWindow([40 + (change % 400), 400 + (change % 300), units]);
        }
        await redraw();
      });
    },

    async frames() {
      return { bytes: [parts.store.bytes] };
    },

    /** Draw a box on the slice that is one of so many, search for it, and call the first hit relevant. */
    async search(number, of) {
      const { viewer } = parts;
      const index = Math.floor(((number + 0.5) * viewer.stack.length) / of);
      await viewer.goTo(index);
      await until(() => at(index) && !byId("search").disabled, "a slice");
      for (const card of document.querySelectorAll("#hits .hit")) card.dataset.before = "";
      const isNew = () => document.querySelector("#hits .hit:not([data-before])");
      const begun = performance.now();
      viewer.setRegions([{ box: boxIn(viewer.shown.frame) }]);
      await redraw();
      const asked = performance.now();
      press("Enter");
      await until(isNew, "hits");
      const card = performance.now() - asked;
      await until(() => [...document.querySelectorAll("#hits img")].filter(isInView).every(isDrawn), "pictures");
      const pictures = performance.now() - asked;
      const judged = (await judge()) ? [performance.now() - begun] : [];
      return { card_ms: [card], pictures_ms: [pictures], judged_ms: judged };
    },
  };
}

async function everySoOften(ms, times, act) {
  const begun = performance.now();
  for (let time = 1; time <= times; time += 1) {
    act();
    await new Promise((resolve) => setTimeout(resolve, begun + time * ms - performance.now()));
  }
}

/** Call the first hit relevant, where the page has a button for it; resolves when the page has taken it. */
async function judge() {
  const button = document.querySelector("#hits .relevant");
  if (!button) return false;
  const isTaken = () => !button.isConnected || button.getAttribute("aria-pressed") === "true";
  button.click();
  await until(isTaken, "a judgement");
  return true;
}

function boxIn({ columns, rows }) {
  const [width, height] = [columns * BOX_SHARE, rows * BOX_SHARE].map(Math.round);
  return { x: Math.round(columns * 0.3), y: Math.round(rows * 0.45), width, height };
}

function isInView(image) {
  const { top, bottom, width } = image.getBoundingClientRect();
  return width > 0 && bottom > 0 && top < window.innerHeight;
}

const isDrawn = (image) => image.complete && image.naturalWidth > 0;

const [tellDone] = arguments;
measuring().then(
  (asked) => tellDone(Object.assign(window, { asked }) && null),
  (error) => tellDone(`${error}`),
);
