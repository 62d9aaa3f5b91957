// Light or dark: as the system has it, or as it was chosen in this browser.

import { keep, kept } from "./kept.js";

const THEMES = ["system", "light", "dark"];

const known = (theme) => (THEMES.includes(theme) ? theme : THEMES[0]);

/** The theme after another one, in the order that the button goes through them. */
export const themeAfter = (theme) => THEMES[(THEMES.indexOf(known(theme)) + 1) % THEMES.length];

/** Whether the page is dark now. */
export function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Make a button change the theme. */
export function installTheme(button) {
  let theme = known(kept("theme"));

  function show() {
    button.dataset.theme = theme;
    button.title = `Theme: ${theme}`;
    button.setAttribute("aria-label", `Theme: ${theme}; change to ${themeAfter(theme)}`);
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }

  button.addEventListener("click", () => {
    theme = themeAfter(theme);
    keep("theme", theme);
    show();
  });
  show();
}
