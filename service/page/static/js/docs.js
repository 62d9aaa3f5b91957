// The API's description, shown by Swagger UI, which asks nobody but this server.

import { isDark } from "./shell/theme.js";

document.documentElement.classList.toggle("dark-mode", isDark());

const element = document.getElementById("operations");

window.SwaggerUIBundle({
  domNode: element,
  url: element.dataset.document,
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // The login's cookie is worth nothing for a change without it.
  requestInterceptor: (request) => ({ ...request, headers: { ...request.headers, "X-HMAR-Page": "1" } }),
});
