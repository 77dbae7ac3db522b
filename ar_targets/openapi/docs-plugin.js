// What the page changes in Swagger UI, as a plugin: its layout, and names for people who hear it.
// Plugins, wrapped components and selectors: Swagger UI's docs/customization.

// Of HEAD and OPTIONS (`shared.py`); folded until it is asked for.
const FOLDED_TAG = "other methods";

/** The plugin. `openTokens` shows the dialog in which people log in. */
export function pagePlugin(openTokens) {
  return ({ React }) => {
    const h = React.createElement;

    // Short, so that the operations are on the first screen.
    function PageLayout({ getComponent, specSelectors }) {
      const part = (name) => h(getComponent(name, true));
      const Markdown = getComponent("Markdown", true);
      return h("div", { className: "swagger-ui" },
        part("errors"),
        h("details", { className: "introduction" },
          h("summary", null, h("h2", null, "Introduction")),
          h(Markdown, { source: specSelectors.info().get("description") })),
        part("FilterContainer"),
        h("div", { className: "wrapper" },
          h("h2", { className: "unseen" }, "Operations"),
          part("operations"),
          part("Models")));
    }

    // Around one control: its name.
    const labelled = (nameOf) => (Original) => (props) =>
      h("label", null,
        h("span", { className: "unseen" }, nameOf(props)),
        h(Original, props));

    // For file choosers, which have none.
    const namedInput = (Original) => (props) =>
      h(Original, props.type === "file" ? { "aria-label": "File to send", ...props } : props);

    // What a component cannot be told by its props is put into its markup.
    const mended = (mend) => (Original) => function Mended(props) {
      const place = React.useRef(null);
      React.useEffect(() => mend((selector) => place.current.querySelector(selector)));
      return h("div", { ref: place }, h(Original, props));
    };

    // Boxes within their labels, all with one id, which makes every label the first one's.
    const withoutId = (find) => {
      find("input").removeAttribute("id");
      find("label").removeAttribute("for");
    };

    return {
      components: {
        PageLayout,
        // A link within the button that opens an operation would be one control in another.
        DeepLink: ({ text }) => h("span", null, text),
      },
      wrapComponents: {
        authorizeOperationBtn: (Original) => (props) =>
          h(Original, { ...props, onClick: openTokens }),
        JsonSchemaForm: labelled((props) => props.description),
        RequestBodyEditor: labelled(() => "Request body"),
        Input: namedInput,
        ParameterIncludeEmpty: mended(withoutId),
        // It says that it is a region, without a name; it is a table.
        responses: mended((find) => find("table[role=region]")?.removeAttribute("role")),
        responseBody: mended((find) => find("img:not([alt])")?.setAttribute("alt", "The response")),
        // Long lines and long texts are scrolled, by keyboard too.
        HighlightCode: mended((find) => find("pre")?.setAttribute("tabindex", "0")),
        curl: mended((find) => find("pre")?.setAttribute("tabindex", "0")),
      },
      statePlugins: {
        layout: {
          wrapSelectors: {
            // The original has its state already.
            isShown: (original) => (state, thing, shownAtFirst) => {
              const folded = thing[0] === "operations-tag" && thing[1] === FOLDED_TAG;
              return original(thing, folded ? false : shownAtFirst);
            },
          },
        },
      },
    };
  };
}
