// What the page's modules need of a browser, as far as the tests go: elements by id, requests, pictures.

export class FakeElement {
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
    requestAnimationFrame: (draw) => setImmediate(draw),
    fetch: async (path, options) => {
      requests.push({ path, ...options });
      return answer(path, options);
    },
  });
  return { requests, byId: document.getElementById };
}

/** An answer that carries the values of a frame, as the server sends them: 2 x 3 pixels in HU. */
export function pixels(headers = {}, values = new Int16Array([0, 1, 2, 3, 4, 5])) {
  const told = { Rows: "2", Columns: "3", Type: "int16", Units: "HU", Slope: "1", Intercept: "-1024", ...headers };
  const named = { Inverted: "false", "Window-Function": "LINEAR", ...told };
  return new Response(values, {
    headers: Object.fromEntries(Object.entries(named).map(([name, value]) => [`X-HMAR-${name}`, value])),
  });
}

/** An element that is drawn on and listened to. */
export class FakeCanvas extends EventTarget {
  dataset = {};
  clientWidth = 640;
  clientHeight = 480;

  getContext() {
    return new Proxy({}, { get: () => () => undefined, set: () => true });
  }

  focus() {}

  setPointerCapture() {}

  /** Send an event with the given properties; returns whether the page took it for itself. */
  send(type, { timeStamp = performance.now(), ...properties }) {
    const event = Object.assign(new Event(type, { cancelable: true }), properties);
    Object.defineProperty(event, "timeStamp", { value: timeStamp });
    this.dispatchEvent(event);
    return event.defaultPrevented;
  }
}
