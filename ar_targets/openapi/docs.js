// Starts Swagger UI on the description of this very server.
"use strict";

const place = document.getElementById("docs");

SwaggerUIBundle({
  domNode: place,
  url: place.dataset.description,
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  // Tokens stay in the page's memory, and are gone when it is closed.
  persistAuthorization: false,
  tryItOutEnabled: true,
  // It would send the description to a host of Swagger's.
  validatorUrl: null,
});
