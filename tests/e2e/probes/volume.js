// The page's own viewer and the frames that it has in memory, and what it shows at each redraw.

const [tellDone] = arguments;

const follow = async () => {
  const { Viewer } = await import("/static/js/viewing/viewer.js");
  const { FrameStore } = await import("/static/js/pixels/store.js");
  let viewer = null;
  let store = null;
  let most = 0;
  let isScrolling = false;

  const { open } = Viewer.prototype;
  Viewer.prototype.open = function (...given) {
    viewer ??= this;
    viewer.addEventListener("shown", note);
    return open.apply(this, given);
  };
  const { follow: plan } = FrameStore.prototype;
  FrameStore.prototype.follow = function (...given) {
    store ??= this;
    return plan.apply(this, given);
  };

  const volume = { drawn: [] };
  const note = () => {
    most = Math.max(most, store?.bytes ?? 0);
    const key = viewer.shown?.item.key;
    if (key && volume.drawn.at(-1) !== key) volume.drawn.push(key);
  };
  const held = () => viewer.stack.items.filter((item) => store.has(item));

  return Object.assign(volume, {
    keys: () => viewer.stack.items.map(({ key }) => key),
    held: () => (viewer?.stack ? held().length : 0),
    bytes: () => store.bytes,
    most: () => most,
    goTo: (index) => void viewer.goTo(index),
    isDone: () => !isScrolling && !viewer.isWaiting,

    /** Let the store have less memory, from the next plan on. */
    bound(bytes) {
      store.limit = bytes;
      for (const item of held()) if (store.bytes > bytes) store.drop(item);
      most = store.bytes;
    },

    /** Whether all items so near to the one on the screen are in memory. */
    isNear(distance) {
      const { index } = viewer.shown;
      const near = viewer.stack.items.filter((_, other) => Math.abs(other - index) <= distance);
      return near.every((item) => store.has(item));
    },

    /** Take so many steps, forwards or back: one at each redraw, from the image on the screen on. */
    scroll(steps) {
      volume.drawn = [viewer.shown.item.key];
      isScrolling = true;
      let left = Math.abs(steps);
      const step = () => {
        viewer.step(Math.sign(steps));
        left -= 1;
        if (left > 0) requestAnimationFrame(step);
        else isScrolling = false;
      };
      requestAnimationFrame(step);
    },
  });
};

follow().then(
  (volume) => tellDone(Object.assign(window, { volume }) && null),
  (error) => tellDone(`${error}`),
);
