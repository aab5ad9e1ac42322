// The hub as the Leptos library uses it: texts in batches, and no objects.

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
   * @param {(status: string, streamId?: string, error?: string) => void} changed
   */
  constructor(gatewayUrl, isBrowserWide, channels, most, persistence, isPaused, batch, changed) {
    const tell = () => {
      const { status, streamId, error } = this.#feed;
      changed(status, streamId ?? undefined, error ?? undefined);
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
