// What the page's modules need of a browser, as far as the tests go: elements by id, requests, pictures.

class FakeElement {
  dataset = {};
  children = [];

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  setAttribute(name, value) {
    this[name] = value;
  }
}

/** Put a small browser in place; `answer` takes (path, options) of each request and returns a Response. */
export function browser(answer = () => Response.json({})) {
  const elements = new Map();
  const requests = [];
  const document = {
    body: new FakeElement(),
    createElement: () => new FakeElement(),
    getElementById: (id) => {
      if (!elements.has(id)) elements.set(id, new FakeElement());
      return elements.get(id);
    },
  };
  document.body.dataset.maxUpload = String(10_000);
  Object.assign(globalThis, {
    document,
    window: { devicePixelRatio: 1 },
    ResizeObserver: class {
      observe() {}
    },
    createImageBitmap: async (blob) => ({ bytes: blob.size }),
    fetch: async (path, options) => {
      requests.push({ path, ...options });
      return answer(path, options);
    },
  });
  return { requests, byId: document.getElementById };
}

/** An answer that carries a picture, as the server sends it. */
export const picture = (headers = {}) =>
  new Response("picture", { headers: { "X-HMAR-Rows": "64", "X-HMAR-Columns": "128", "X-HMAR-Units": "HU", ...headers } });

/** An element that is drawn on and listened to. */
export class FakeCanvas extends EventTarget {
  clientWidth = 640;
  clientHeight = 480;

  getContext() {
    return new Proxy({}, { get: () => () => undefined, set: () => true });
  }

  focus() {}

  setPointerCapture() {}

  /** Send an event with the given properties; returns whether the page took it for itself. */
  send(type, properties) {
    const event = Object.assign(new Event(type, { cancelable: true }), properties);
    this.dispatchEvent(event);
    return event.defaultPrevented;
  }
}
