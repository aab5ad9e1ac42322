// The hub as the Leptos library uses it: texts in batches, and no objects.

import { Feed } from './feed.js';

/**
 * A feed that gives its items as one text, a JSON object a line: a record as it was sent, or a gap.
 * One text per batch, because each that goes over to WebAssembly is a copy.
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
          if (items.length > 0) batch(items.map(({ text, gap }) => text ?? JSON.stringify(gap)).join('\n'));
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
