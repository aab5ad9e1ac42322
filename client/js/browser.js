// What the viewer asks of the browser where a few lines here are shorter than their bindings.

import { Endpoint, wordsOf } from './endpoint.js';

/**
 * Asks for a page of history. `done` is called once: with its lines, or with why there are none, in a sentence.
 * @param {string} gatewayUrl
 * @param {string} query
 * @param {AbortSignal} signal
 * @param {(lines: string, error?: string) => void} done
 */
export function history(gatewayUrl, query, signal, done) {
  const asked = new Endpoint({ gatewayUrl }).history(Object.fromEntries(new URLSearchParams(query)), signal);
  asked.then(
    (lines) => done(lines.join('\n')),
    (error) => done('', wordsOf(error)),
  );
}

/** Copies a text, and says whether the browser let it. @param {string} text @param {(isCopied: boolean) => void} done */
export function copyText(text, done) {
  // There is none on a page that was not loaded securely.
  const copied = navigator.clipboard?.writeText(text) ?? Promise.reject();
  copied
    .then(
      () => true,
      () => copySelected(text),
    )
    .catch(() => false)
    .then(done);
}

/** As pages copied before there was a clipboard: what is selected in a field that nobody sees. @param {string} text */
function copySelected(text) {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  // Out of sight, with properties: the page's policy may forbid a style attribute.
  field.style.position = 'fixed';
  field.style.opacity = '0';
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** Hands a text to the browser as a file. @param {string} text @param {string} name @param {string} type */
export function saveFile(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has it by now, or will in this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
