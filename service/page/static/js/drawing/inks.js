// Colours of the theme for what is drawn on a canvas: read once, and again where the theme changes.

let inks = new Map();
let isWatching = false;

/** The value that a colour of css/theme.css, such as "--query", has where a canvas lies. */
export function ink(canvas, name) {
  watch();
  if (!inks.has(name)) inks.set(name, getComputedStyle(canvas).getPropertyValue(name).trim());
  return inks.get(name);
}

function watch() {
  if (isWatching) return;
  isWatching = true;
  const forget = () => {
    inks = new Map();
  };
  for (const media of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(media).addEventListener("change", forget);
  new MutationObserver(forget).observe(document.documentElement, { attributes: true });
}
