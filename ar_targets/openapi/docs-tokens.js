// The tokens that the page sends: people log in, enter them, or take over one that a response has.

// The security schemes of the description.
const USER = "user_token", PROJECT = "project_token";
const NAMES = { [USER]: "user token", [PROJECT]: "project token" };

const element = (id) => document.getElementById(id);

export class Tokens {
  #held = {};  // scheme → token; here alone, so that closing the page forgets them
  #login = ""; // of the user who logged in here
  #offered = null;
  #ui = null;

  /** `loginUrl` takes a login and a password. */
  constructor(loginUrl) {
    this.loginUrl = loginUrl;
    this.dialog = element("tokens");
    element("open").addEventListener("click", () => this.open());
    element("close").addEventListener("click", () => this.dialog.close());
    element("log-out").addEventListener("click", () => this.logOut());
    element("take").addEventListener("click", () => this.takeOffered());
    element("dismiss").addEventListener("click", () => this.offer(null));
    this.onSubmit("login-form", (form) => this.logIn(form));
    this.onSubmit("token-form", (form) => this.enter(form));
  }

  onSubmit(id, act) {
    element(id).addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.target);
    });
  }

  /** Swagger UI has read the description. */
  connect(ui) {
    this.#ui = ui;
  }

  open() {
    for (const scheme of Object.keys(NAMES)) {
      element("token-form").elements[scheme].value = this.#held[scheme] ?? "";
    }
    this.tell("");
    this.dialog.showModal();
  }

  async logIn(form) {
    const sent = Object.fromEntries(new FormData(form));
    this.tell("");
    try {
      const response = await fetch(this.loginUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(sent),
      });
      const answer = await response.json();
      if (!response.ok) {
        this.tell(answer.errors.map((error) => error.description).join("; "));
        return;
      }
      this.#login = sent.login;
      this.use(USER, answer.token);
      form.reset();
      this.dialog.close();
    } catch (error) {
      this.tell(`There is no answer that can be read: ${error.message}`);
    }
  }

  enter(form) {
    for (const scheme of Object.keys(NAMES)) {
      const token = form.elements[scheme].value.trim();
      if (token === (this.#held[scheme] ?? "")) continue;
      if (scheme === USER) this.#login = "";
      this.use(scheme, token);
    }
    this.dialog.close();
  }

  /** Send this token from now on; none if it is empty. */
  use(scheme, token) {
    if (token) {
      this.#held[scheme] = token;
      this.#ui.preauthorizeApiKey(scheme, token);
    } else {
      delete this.#held[scheme];
      this.#ui.authActions.logout([scheme]);
    }
    this.show();
  }

  logOut() {
    this.#login = "";
    this.offer(null);
    for (const scheme of Object.keys(NAMES)) this.use(scheme, "");
    element("open").focus();
  }

  /** A response to "try it": offer the token that it has. */
  seen(response) {
    const token = response.body?.token;
    if (!response.ok || typeof token !== "string") return;
    const scheme = "project_id" in response.body ? PROJECT : USER;
    if (token !== this.#held[scheme]) this.offer({ scheme, token });
  }

  offer(offered) {
    this.#offered = offered;
    element("offer").hidden = !offered;
    if (offered) {
      element("offer").querySelector("p").textContent =
        `The response has a ${NAMES[offered.scheme]}.`;
    }
  }

  takeOffered() {
    const { scheme, token } = this.#offered;
    if (scheme === USER) this.#login = "";
    this.use(scheme, token);
    this.offer(null);
  }

  /** Say what is held. */
  show() {
    const held = Object.keys(NAMES).filter((scheme) => scheme in this.#held);
    const names = held.map((scheme) => NAMES[scheme]).join(" and ");
    const who = this.#login ? `Logged in as ${this.#login}` : "Not logged in";
    element("state").textContent = held.length ? `${who}; sends a ${names}` : who;
    element("open").textContent = held.length ? "Tokens" : "Log in";
    element("log-out").hidden = !held.length;
  }

  tell(text) {
    this.dialog.querySelector("[role=alert]").textContent = text;
  }
}
