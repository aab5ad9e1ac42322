// Why there is no stream.

import { Refused, refusedBy } from './endpoint.js';

/** The most channels and patterns of one stream. */
const MOST_CHANNELS = 128;

/**
 * Why a channel is not followed: in words, and whether it is that this reader may not.
 * @typedef {{ words: string, isDenied: boolean }} Refusal
 */

/**
 * Why a stream could not be opened.
 * @typedef {object} Reason
 * @property {Refused | null} refused Why nothing of it can be had; nothing where it could be opened now, or without what is wrong.
 * @property {Map<string, Refusal>} wrong Channels that keep the others from being told, and why.
 */

/**
 * Asks for a stream once more, with a token that is asked for anew, and reads what `EventSource` does not show: status and
 * body.
 * @param {import('./endpoint.js').Endpoint} endpoint
 * @param {Set<string>} channels
 * @param {string | null} cursor
 * @param {AbortSignal} signal
 * @returns {Promise<Reason>}
 */
export async function whyRefused(endpoint, channels, cursor, signal) {
  const answer = await endpoint.probe(channels, cursor, signal);
  if (!answer.ok) {
    const refused = await refusedBy(answer);
    const wrong = refused.isOfChannels && channels.size > 1 ? await blamed(endpoint, channels, signal) : new Map();
    const isAll = wrong.size === 0 || wrong.size === channels.size;
    return isAll ? { refused, wrong: new Map() } : { refused: null, wrong };
  }
  // It has become a stream that nobody reads.
  await answer.body?.cancel();
  const type = answer.headers.get('content-type') ?? '';
  const isStream = type.startsWith('text/event-stream');
  return { refused: isStream ? null : new Refused(0, 'what answers there is no log gateway'), wrong: new Map() };
}

/**
 * Which channels it is that the gateway refuses, and why: history says so of each.
 * @param {import('./endpoint.js').Endpoint} endpoint
 * @param {Set<string>} channels
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, Refusal>>}
 */
async function blamed(endpoint, channels, signal) {
  // The first have come first.
  const surplus = [...channels].slice(MOST_CHANNELS);
  if (surplus.length > 0) return new Map(surplus.map((channel) => [channel, { words: `${channel}: too many channels`, isDenied: false }]));
  /** @type {Map<string, Refusal>} */
  const wrong = new Map();
  const ask = async (/** @type {string} */ channel) => {
    try {
      await endpoint.history({ channels: channel, limit: '1' }, signal);
    } catch (error) {
      if (!(error instanceof Refused) || !error.isOfChannels) return;
      wrong.set(channel, { words: error.message.replace(/\.$/, ''), isDenied: error.isDenied });
    }
  };
  await Promise.all([...channels].map(ask));
  return wrong;
}
