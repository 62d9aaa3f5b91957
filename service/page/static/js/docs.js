// The API's description, shown by Swagger UI, which asks nobody but this server.

import { isDark } from "./shell/theme.js";

const follow = () => document.documentElement.classList.toggle("dark-mode", isDark());
follow();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);

const element = document.getElementById("api");

window.SwaggerUIBundle({
  domNode: element,
  url: element.dataset.document,
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Its list of servers, which is this one alone, comes without a name.
  onComplete: () => document.getElementById("servers")?.setAttribute("aria-label", "Server"),
  // The login's cookie is worth nothing for a change without it.
  requestInterceptor: (request) => ({ ...request, headers: { ...request.headers, "X-HMAR-Page": "1" } }),
});
