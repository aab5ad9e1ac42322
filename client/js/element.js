/**
 * `<logs-widget>`: live log lines in any page. What its attributes and events mean is documented in `client/src/element.rs`;
 * this class hands them on to the program, and its events to the page.
 */

const NAME = "logs-widget";

/** The attributes that the program takes. `theme` is the style sheet's. */
const ATTRIBUTES = [
  "service", "workspace-id", "workflow-id", "resource-id", "function-id", "channels", "gateway-url", "max-logs",
  "persistence", "scope", "at", "label",
];
/** What the gateway is shown. Not for the program: a token is in nothing that is drawn. */
const ACCESS = ["token", "with-credentials"];
const PROPERTIES = new Map([...ATTRIBUTES, "with-credentials", "theme"].map((attribute) => [camelCase(attribute), attribute]));

function camelCase(attribute) {
  return attribute.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

/**
 * Makes `<logs-widget>` known to the page. Where it is known already, by another script of this or another gateway, that
 * one stays: a name can be given once.
 *
 * @param {object} parts
 * @param {string} parts.styles - the rules for what is inside
 * @param {string} parts.gatewayUrl - the gateway where an element names none
 * @param {() => Promise<{ Viewer: Function, show: Function }>} parts.load - loads the program; asked for with the first element
 */
export function define({ styles, gatewayUrl, load }) {
  if (customElements.get(NAME)) return;

  // Not a <style>, which a strict content policy forbids; and parsed once for all elements.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  let program;
  const loaded = () => (program ??= load().catch((error) => {
    // The next element tries again.
    program = undefined;
    throw error;
  }));

  class LogsWidgetElement extends HTMLElement {
    static observedAttributes = [...ATTRIBUTES, ...ACCESS];

    #root = null;
    #viewer = null;
    #program = null;
    #token = null;
    #isWanted = false;
    #status = { status: "DISCONNECTED", error: null, streamId: null, isUnauthorized: false };

    /** The records, the oldest first. */
    get logs() {
      return JSON.parse(this.#viewer?.logs() ?? "[]");
    }

    /** DISCONNECTED, CONNECTING, CONNECTED, RECONNECTING or ERROR. */
    get status() {
      return this.#status.status;
    }

    /** What is wrong, in a sentence, or null. */
    get error() {
      return this.#status.error;
    }

    /** Whether the gateway wants a token, or another one. */
    get isUnauthorized() {
      return this.#status.isUnauthorized;
    }

    /** The gateway's name for the stream, or null. */
    get streamId() {
      return this.#status.streamId;
    }

    /** The reader's token, or a function that gives it, also as a promise; asked before each request. Never an attribute. */
    get token() {
      return this.#token;
    }

    set token(token) {
      this.#token = token ?? null;
      this.#show();
    }

    /** Connects, or tries again at once after an error. */
    connect() {
      this.#viewer?.connect();
    }

    /** Closes the stream. The lines stay. */
    disconnect() {
      this.#viewer?.disconnect();
    }

    connectedCallback() {
      this.#takeEarlyProperties();
      if (this.#isWanted) return;
      this.#isWanted = true;
      this.#root ??= this.#makeRoot();
      loaded().then(
        (program) => this.#mount(program),
        (error) => this.#say(`The log viewer could not be loaded: ${error.message ?? error}`),
      );
    }

    disconnectedCallback() {
      // Who moves an element takes it out and puts it in again at once: its lines are to stay.
      queueMicrotask(() => {
        if (this.isConnected) return;
        this.#isWanted = false;
        this.#viewer?.free();
        this.#viewer = null;
        this.#program?.show(this);
        this.#program = null;
        this.#tellStatus("DISCONNECTED", null, null);
      });
    }

    /** Moved by `moveBefore`: nothing changes. */
    connectedMoveCallback() {}

    attributeChangedCallback(name, _, value) {
      if (ACCESS.includes(name)) return this.#show();
      // Before the stream there is opened.
      if (name === "gateway-url") this.#show();
      this.#viewer?.set(name, this.#given(name, value));
    }

    /** An attribute's value as the program takes it. */
    #given(name, value) {
      if (name === "gateway-url") return this.#gatewayUrl;
      // An empty one counts as absent there; this one is on where it is present.
      if (name === "persistence" && value === "") return "true";
      return value ?? undefined;
    }

    get #gatewayUrl() {
      return this.getAttribute("gateway-url") || gatewayUrl;
    }

    /** Shows the gateway what there is to show, once the program is there. */
    #show() {
      const cookies = this.getAttribute("with-credentials") ?? "false";
      this.#program?.show(this, this.#gatewayUrl, this.#token ?? this.getAttribute("token") ?? undefined, cookies !== "false");
    }

    #makeRoot() {
      const shadow = this.attachShadow({ mode: "open" });
      shadow.adoptedStyleSheets = [sheet];
      const root = document.createElement("div");
      root.className = "logs-element-root";
      shadow.append(root);
      return root;
    }

    #mount(program) {
      // Taken out while the program was on its way, or in again and so here twice.
      if (!this.#isWanted || this.#viewer) return;
      this.#root.replaceChildren();
      this.#program = program;
      this.#show();
      const attributes = ATTRIBUTES.filter((name) => this.hasAttribute(name) && name !== "gateway-url");
      this.#viewer = new program.Viewer(
        this.#root,
        ["gateway-url", this.#gatewayUrl, ...attributes.flatMap((name) => [name, this.#given(name, this.getAttribute(name))])],
        (...status) => this.#tellStatus(...status),
        (batch) => this.#tellRecords(batch),
      );
    }

    #say(text) {
      const line = document.createElement("p");
      line.className = "logs-element-status";
      line.setAttribute("role", "alert");
      line.textContent = text;
      this.#root.replaceChildren(line);
      this.#isWanted = false;
      this.#tellStatus("ERROR", text, null);
    }

    #tellStatus(status, error, streamId, isUnauthorized = false) {
      const next = { status, error, streamId, isUnauthorized };
      if (Object.keys(next).every((name) => next[name] === this.#status[name])) return;
      this.#status = next;
      this.#tell("logs-status", { ...this.#status });
    }

    #tellRecords(batch) {
      let records;
      this.#tell("logs-record", {
        count: batch.count,
        // Made into objects only for those who read them: without a listener a record costs nothing here.
        get records() {
          return (records ??= JSON.parse(batch.json()));
        },
      });
    }

    #tell(type, detail) {
      this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
    }

    /** What a framework set before the script was there hides the properties of the class. */
    #takeEarlyProperties() {
      for (const property of [...PROPERTIES.keys(), "token"]) {
        if (Object.hasOwn(this, property)) {
          const value = this[property];
          delete this[property];
          this[property] = value;
        }
      }
    }
  }

  for (const [property, attribute] of PROPERTIES) {
    Object.defineProperty(LogsWidgetElement.prototype, property, {
      get() {
        return this.getAttribute(attribute);
      },
      set(value) {
        if (value === null || value === undefined) this.removeAttribute(attribute);
        else this.setAttribute(attribute, String(value));
      },
      enumerable: true,
      configurable: true,
    });
  }
  customElements.define(NAME, LogsWidgetElement);
}
