// Runs before anything is drawn, so that the page never flashes in another theme than the one that was chosen.

try {
  const theme = JSON.parse(localStorage.getItem("hmar.theme"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing follows the system.
}
