// The API's description, shown by Swagger UI, which asks nobody but this server.

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
