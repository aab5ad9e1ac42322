// One EventSource.

/** Events that have a name; those without one come as `message`. */
const NAMES = ['message', 'heartbeat', 'caught_up', 'gap', 'subscription', 'expiring', 'drain', 'close'];

/**
 * Opens an event stream that never reconnects by itself: that would be with the URL's old cursor.
 * @param {string} url
 * @param {boolean} withCredentials
 * @param {(data: string, id: string) => void} hear its events, named or not
 * @param {(refused: boolean) => void} lose it is lost; or the answer was no event stream, and why is not told
 * @returns {() => void} closes it; nothing is said after that
 */
export function openSource(url, withCredentials, hear, lose) {
  const source = new EventSource(url, { withCredentials });
  /** @param {MessageEvent<string>} event */
  const onEvent = (event) => hear(event.data, event.lastEventId);
  const close = () => {
    for (const name of NAMES) source.removeEventListener(name, onEvent);
    source.onerror = null;
    source.close();
  };
  for (const name of NAMES) source.addEventListener(name, onEvent);
  source.onerror = () => {
    const refused = source.readyState === EventSource.CLOSED;
    close();
    lose(refused);
  };
  return close;
}
