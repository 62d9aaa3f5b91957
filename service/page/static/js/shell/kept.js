// What this browser keeps of the page's look. A browser that keeps nothing gets the defaults.

/** Read what was kept under a name; null where nothing was. */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`hmar.${name}`));
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`hmar.${name}`, JSON.stringify(value));
  } catch {
    // It holds until the page is closed.
  }
}
