// Changing what an open stream follows.

import { Refused } from './endpoint.js';
import { isPlain, toWire } from './entry.js';
import { isId } from './id.js';

/**
 * @typedef {import('./entry.js').Entry} Entry
 * @typedef {{ add: Map<string, Entry>, remove: Map<string, Entry> }} Change
 * @typedef {import('./refusal.js').Refusal} Refusal
 * @typedef {{ key: string, entry: Entry, refusal: Refusal | null }} Outcome
 */

/**
 * What a stream that sends some entries has to be told, so that it sends those that are wanted and no others.
 * @param {Map<string, Entry>} sent
 * @param {Map<string, Entry>} wanted
 * @param {Map<string, Refusal>} refused entries that the gateway has refused
 * @returns {Change}
 */
export function difference(sent, wanted, refused) {
  const add = new Map([...wanted].filter(([key]) => !sent.has(key) && !refused.has(key)));
  const remove = new Map([...sent].filter(([key]) => !wanted.has(key)));
  // To remove an entry that wants everything removes the narrower ones of the same pattern along with it.
  const wide = new Set([...remove.values()].filter(isPlain).map((entry) => entry.channel));
  for (const [key, entry] of wanted) {
    if (sent.has(key) && !isPlain(entry) && wide.has(entry.channel)) add.set(key, entry);
  }
  return { add, remove };
}

/**
 * Changes a stream. Where the gateway did not, or it is not known whether it did, there is nothing.
 * @param {import('./endpoint.js').Endpoint} endpoint
 * @param {import('./stream.js').Stream} stream
 * @param {Change} change
 * @returns {Promise<{ fromId: string, outcomes: Outcome[] } | null>} `fromId`: everything that was added is sent after it
 */
export async function applied(endpoint, stream, { add, remove }) {
  // Whether it still sends them is not known until it answers, and perhaps not then.
  for (const key of remove.keys()) stream.entries.delete(key);
  let answer;
  try {
    const entries = (/** @type {Map<string, Entry>} */ map) => [...map.values()].map(toWire);
    answer = await endpoint.change(stream.opened?.streamId ?? '', { add: entries(add), remove: entries(remove) });
  } catch (error) {
    // What was refused was not done.
    if (error instanceof Refused && error.isFinal) for (const [key, entry] of remove) stream.entries.set(key, entry);
    return null;
  }
  if (!isId(answer?.from_id)) return null;
  const outcomes = [...add].map(([key, entry], place) => ({ key, entry, refusal: refusal(entry, answer.results?.[place]) }));
  return { fromId: answer.from_id, outcomes };
}

/** Why an entry was not added. @param {Entry} entry @param {{ status?: string, code?: string } | undefined} result @returns {Refusal | null} */
function refusal({ channel }, result) {
  if (result?.status === 'added' || result?.status === 'unchanged') return null;
  const isDenied = result?.status === 'denied';
  return { words: `${channel}: ${isDenied ? 'may not be read' : (result?.code ?? 'was refused')}`, isDenied };
}
