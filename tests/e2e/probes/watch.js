// Watches the page: which image the pixels on the screen are, and whether all that is said of it agrees.
//
// Runs before the page's own scripts. Each image of the tests has a number painted in: see tests/e2e/painted.py.

window.watch = (() => {
  const SIDE = 4;
  /** What -1024 HU is less bright than in every display window that the page offers. */
  const DARK = 80;
  const MARK = [true, false, true];
  const state = { table: {}, seed: 1, leastMs: 0, mostMs: 0, faults: [], drawn: [], checks: 0, searches: [], wanted: null };
  let onScreen = null;

  const byId = (id) => document.getElementById(id);

  /** A sequence of numbers from 0 to 1 that is the same for the same seed (mulberry32). */
  function random() {
    state.seed = (state.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state.seed ^ (state.seed >>> 15), 1 | state.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** The number painted in the picture on a canvas, null where it is blank; "?" where it is neither. */
  function numberOn(picture) {
    const cells = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    const context = cells.getContext("2d", { willReadFrequently: true });
    const side = Math.min(picture.width, picture.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    const greys = Array.from({ length: SIDE * SIDE }, (_, cell) => data[4 * cell]);
    if (greys.every((grey) => grey === 0)) return null;
    const bits = greys.map((grey) => grey > 127);
    const isClear = greys.every((grey) => grey < DARK || grey === 255);
    const isMarked = isClear && MARK.every((bit, place) => bits[place] === bit);
    return isMarked ? bits.slice(MARK.length).reduce((sum, bit) => 2 * sum + bit, 0) : "?";
  }

  function fault(what, details = {}) {
    const words = byId("frame-text").textContent;
    const { instance, frame } = byId("canvas").dataset;
    state.faults.push({ what, onScreen, words, instance, frame, ...details });
  }

  /** Compare what is written, and what was clicked, with the pixels. */
  function check() {
    if (!byId("frame-text")) return;
    state.checks += 1;
    const { instance = "", frame = "" } = byId("canvas").dataset;
    const words = byId("frame-text").textContent;
    if (onScreen === null) {
      if (instance) fault("words beside a blank screen");
      return;
    }
    const image = state.table[onScreen];
    if (!image) return fault("no image has this number");
    if (image.name !== instance || String(image.frame) !== frame) fault("the identity is another image's");
    const count = Number(words.split(" of ")[1]);
    const index = image.places[count];
    if (words !== `Image ${index} of ${count}`) fault("the words are another image's", { index });
    if (state.wanted && image.series !== state.wanted) fault("another series was clicked", { wanted: state.wanted });
  }

  function look(canvas) {
    const before = onScreen;
    onScreen = numberOn(canvas);
    if (onScreen !== before && onScreen !== null) state.drawn.push(onScreen);
    check();
  }

  /** After each call of what draws on the picture, once its task is done with it, look at the pixels. */
  function lookAfter(prototype, name) {
    const drawing = prototype[name];
    prototype[name] = function drawAndLook(...given) {
      if (this.canvas.id === "picture" && !this.isToBeSeen) {
        this.isToBeSeen = true;
        queueMicrotask(() => {
          this.isToBeSeen = false;
          look(this.canvas);
        });
      }
      return drawing.apply(this, given);
    };
  }
  for (const name of ["reset", "drawImage"]) lookAfter(CanvasRenderingContext2D.prototype, name);
  for (const name of ["clear", "drawArrays"]) lookAfter(WebGL2RenderingContext.prototype, name);

  /** All answers of the API come late; a search is compared with the screen when it is asked. */
  const send = window.fetch;
  window.fetch = async (path, options = {}) => {
    if (!path.includes("/api/v1/")) return send(path, options);
    const search = path.includes("/api/v1/search/") ? searched(options.body) : null;
    const ms = state.leastMs + random() * (state.mostMs - state.leastMs);
    await new Promise((resolve, reject) => {
      setTimeout(resolve, ms);
      options.signal?.addEventListener("abort", () => reject(options.signal.reason));
    });
    const answer = await send(path, options);
    if (search && answer.ok) state.query = search.onScreen;
    return answer;
  };

  function searched(body) {
    const asked =
      body instanceof FormData
        ? { name: body.get("file").name, frame: body.get("frame") }
        : (({ sop_instance_uid: name, frame_number: frame }) => ({ name, frame }))(JSON.parse(body));
    const image = state.table[onScreen];
    const isSame = image && image.name === asked.name && String(image.frame) === String(asked.frame);
    if (!isSame) fault("a search is for another image", { asked });
    state.searches.push({ ...asked, onScreen });
    return state.searches.at(-1);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!byId("frame-text")) return;
    const changes = { subtree: true, childList: true, characterData: true, attributes: true };
    // After the look at what was drawn in the same turn: a canvas that gets another size changes before it is drawn on.
    const checkThen = () => queueMicrotask(check);
    for (const id of ["frame-text", "canvas"]) new MutationObserver(checkThen).observe(byId(id), changes);
    const eachFrame = () => {
      check();
      requestAnimationFrame(eachFrame);
    };
    eachFrame();
  });

  return { state, random, check, fault, get onScreen() { return onScreen; } };
})();
