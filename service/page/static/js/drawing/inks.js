// Colours of the theme for what is drawn on a canvas: read once, and again where the theme changes.

let inks = new Map();
let isWatching = false;

/** A colour of css/theme.css, such as "--query", as it is on pictures: these are dark in every theme. */
export function ink(name) {
  watch();
  if (!inks.has(name)) inks.set(name, resolved(name));
  return inks.get(name);
}

/** Canvases know neither variables nor light-dark(): an element says what they come to. */
function resolved(name) {
  const element = document.createElement("span");
  element.className = "on-picture";
  element.style.color = `var(${name})`;
  document.body.append(element);
  const { color } = getComputedStyle(element);
  element.remove();
  return color;
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
