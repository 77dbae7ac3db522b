// Starts Swagger UI on the description of this very server.

import { pagePlugin } from "./docs-plugin.js";
import { Tokens } from "./docs-tokens.js";

const place = document.getElementById("docs");
const tokens = new Tokens(place.dataset.login);

const ui = SwaggerUIBundle({
  domNode: place,
  url: place.dataset.description,
  plugins: [pagePlugin(() => tokens.open())],
  layout: "PageLayout",
  deepLinking: true,
  // The list of schemas is folded.
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // Tokens stay in the page's memory, and are gone when it is closed.
  persistAuthorization: false,
  // Its colours differ enough from what is behind them; those of the default do not.
  syntaxHighlight: { theme: "arta" },
  tryItOutEnabled: true,
  // It would send the description to a host of Swagger's.
  validatorUrl: null,
  responseInterceptor: (response) => {
    tokens.seen(response);
    return response;
  },
  onComplete: () => tokens.connect(ui),
});
