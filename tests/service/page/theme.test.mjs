import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeElement } from "./browser.mjs";
import { keep, kept } from "../../../service/page/static/js/shell/kept.js";
import { installTheme, isDark, themeAfter } from "../../../service/page/static/js/shell/theme.js";

/** A document whose browser keeps `items`, on a system that is dark or not. */
function browserWith(items, systemIsDark = true) {
  const root = { dataset: {} };
  const localStorage = {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
  };
  Object.assign(globalThis, {
    document: { documentElement: root },
    localStorage,
    matchMedia: () => ({ matches: systemIsDark }),
  });
  return root;
}

class Button extends FakeElement {
  addEventListener(_, listener) {
    this.click = listener;
  }
}

test("the button goes from the system's theme to light, to dark, and back, and each is kept", () => {
  const items = new Map();
  const root = browserWith(items);
  const button = new Button();
  installTheme(button);
  const seen = [[root.dataset.theme, isDark(), button.title]];
  for (let i = 0; i < 3; i += 1) {
    button.click();
    seen.push([root.dataset.theme, isDark(), button.title]);
  }
  assert.deepEqual(seen, [
    [undefined, true, "Theme: system"],
    ["light", false, "Theme: light"],
    ["dark", true, "Theme: dark"],
    [undefined, true, "Theme: system"],
  ]);
  assert.deepEqual([...items], [["hmar.theme", '"system"']]);
});

test("a theme that was chosen is there again, and one that is none follows the system", () => {
  for (const [stored, theme] of [['"light"', "light"], ['"blue"', undefined], ["{", undefined], ["7", undefined]]) {
    const root = browserWith(new Map([["hmar.theme", stored]]), false);
    installTheme(new Button());
    assert.equal(root.dataset.theme, theme);
    assert.equal(isDark(), false);
  }
  assert.equal(themeAfter("blue"), "light");
});

test("a browser that keeps nothing gives nothing, and takes what it does not keep", () => {
  browserWith(new Map());
  globalThis.localStorage = {
    getItem() {
      throw new Error("denied");
    },
    setItem() {
      throw new Error("full");
    },
  };
  keep("layout", {});
  assert.equal(kept("layout"), null);
});
