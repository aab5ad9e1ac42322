// The hub as the Leptos library uses it: texts in batches, and no objects.

import { Endpoint } from './endpoint.js';
import { Feed } from './feed.js';

/** The most items of one text: WebAssembly's memory grows with the largest and never shrinks. */
const TOGETHER = 1_000;

/**
 * A feed that gives its items as one text, a JSON object a line: a record as it was sent, or a gap.
 * Many in one text, because each text that goes over to WebAssembly is a copy.
 */
export class WasmFeed {
  #feed;

  /**
   * @param {string} gatewayUrl
   * @param {boolean} isBrowserWide
   * @param {string} channels entries as a JSON array
   * @param {number} most
   * @param {boolean} persistence
   * @param {boolean} isPaused
   * @param {(lines: string) => void} batch
   * @param {(patterns: string) => void} forget what was given of these, or of all where there are none
   * @param {(status: string, isUnauthorized: boolean, streamId?: string, error?: string) => void} changed
   */
  constructor(gatewayUrl, isBrowserWide, channels, most, persistence, isPaused, batch, forget, changed) {
    const tell = () => {
      const { status, isUnauthorized, streamId, error } = this.#feed;
      changed(status, isUnauthorized, streamId ?? undefined, error ?? undefined);
    };
    this.#feed = new Feed(
      { gatewayUrl, scope: isBrowserWide ? 'browser' : 'page' },
      { channels: JSON.parse(channels), most, persistence },
      {
        batch: (items) => {
          for (let from = 0; from < items.length; from += TOGETHER) {
            const some = items.slice(from, from + TOGETHER);
            batch(some.map(({ text, gap }) => text ?? JSON.stringify(gap)).join('\n'));
          }
        },
        forget: (patterns) => forget(patterns?.join() ?? ''),
        changed: tell,
      },
      isPaused,
    );
    tell();
  }

  pause() {
    this.#feed.pause();
  }

  resume() {
    this.#feed.resume();
  }

  close() {
    this.#feed.close();
  }
}

/** Who shows which gateway something on this page. @type {Map<unknown, Endpoint>} */
const shown = new Map();

/**
 * Shows a gateway a token, cookies or both, for all parts of the page, in place of what the same owner showed before. Without
 * an address it shows nothing any more.
 * @param {unknown} owner
 * @param {string | undefined} gatewayUrl
 * @param {import('./access.js').Token | null | undefined} token
 * @param {boolean} withCredentials
 */
export function show(owner, gatewayUrl, token, withCredentials) {
  const before = shown.get(owner);
  const endpoint = gatewayUrl === undefined ? null : new Endpoint({ gatewayUrl });
  if (endpoint && endpoint.place === before?.place) return before.show({ token, withCredentials });
  before?.release();
  shown.delete(owner);
  if (!endpoint) return;
  shown.set(owner, endpoint);
  endpoint.show({ token, withCredentials });
}
