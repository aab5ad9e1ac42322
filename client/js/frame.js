// Work that is done once per animation frame.

/** A hidden tab has no animation frames; its work is done this often, in milliseconds. */
const HIDDEN_MS = 250;

/** Work that is done once in the next animation frame, however often it is asked for. */
export class Frame {
  #work;
  #frame = 0;
  #timer = 0;

  /** @param {() => void} work */
  constructor(work) {
    this.#work = () => {
      this.cancel();
      work();
    };
  }

  /** Has the work done in the next frame, or by a timer where there are no frames. */
  ask() {
    if (this.#timer) return;
    this.#frame = globalThis.requestAnimationFrame?.(this.#work) ?? 0;
    this.#timer = Number(setTimeout(this.#work, HIDDEN_MS));
  }

  /** Does what was asked for now. */
  now() {
    if (this.#timer) this.#work();
  }

  /** Forgets what was asked for. */
  cancel() {
    globalThis.cancelAnimationFrame?.(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = this.#timer = 0;
  }
}
