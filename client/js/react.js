'use client';
// Live logs in React 18 and later.

import { createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { createLogsClient } from './client.js';

const Client = createContext(/** @type {import('./client.js').LogsClient | null} */ (null));

/**
 * Gives all hooks below it one stream to the gateway.
 * @param {import('./client.js').ClientOptions & { children?: import('react').ReactNode }} props
 */
export function LogsSSEProvider({ children, gatewayUrl, scope, token, withCredentials, autoConnect }) {
  // A callback is often a new function at each render; the newest is asked.
  const newest = useRef(token);
  useEffect(() => {
    newest.current = token;
  });
  const hasToken = token !== undefined && token !== null;
  const client = useMemo(
    () =>
      createLogsClient({
        gatewayUrl,
        scope,
        token: hasToken ? () => (typeof newest.current === 'function' ? newest.current() : newest.current) : undefined,
        withCredentials,
        autoConnect,
      }),
    [gatewayUrl, scope, hasToken, withCredentials, autoConnect],
  );
  // A function may be another at each render and still give the same; a text that is another is another token.
  const text = typeof token === 'string' ? token : undefined;
  useEffect(() => {
    if (text !== undefined) client.setToken(() => (typeof newest.current === 'function' ? newest.current() : newest.current));
  }, [client, text]);
  return createElement(Client.Provider, { value: client }, children);
}

/** @type {import('./client.js').Snapshot} */
const NOTHING = Object.freeze({
  logs: Object.freeze([]),
  gaps: Object.freeze([]),
  connectionStatus: 'CONNECTING',
  isConnected: false,
  error: null,
  isUnauthorized: false,
  streamId: null,
});

/** @param {import('./client.js').SubscribeOptions} options */
function useSubscription(options) {
  const client = useContext(Client);
  if (!client) throw new Error('useLogsSSE and useLogsSubscription need a <LogsSSEProvider> above them');
  const [subscription, setSubscription] = useState(/** @type {import('./client.js').LogsSubscription | null} */ (null));
  const { onRecords, ...selection } = options;
  // A callback is often a new function at each render; the newest is called.
  const told = useRef(onRecords);
  useEffect(() => {
    told.current = onRecords;
  });
  // What is followed is compared by what it says, not by which object says it.
  const wanted = JSON.stringify(selection);
  useEffect(() => {
    const subscription = client.subscribe({ ...JSON.parse(wanted), onRecords: (records) => told.current?.(records) });
    setSubscription(subscription);
    return () => subscription.close();
  }, [client, wanted]);
  const watch = useCallback(
    (/** @type {() => void} */ call) => subscription?.onChange(call) ?? (() => {}),
    [subscription],
  );
  const look = () => subscription?.snapshot ?? NOTHING;
  const snapshot = useSyncExternalStore(watch, look, () => NOTHING);
  const clear = useCallback(() => subscription?.clear(), [subscription]);
  const connect = useCallback(() => client.connect(), [client]);
  const disconnect = useCallback(() => client.disconnect(), [client]);
  return { ...snapshot, clear, connect, disconnect };
}

/**
 * Follows the live logs of one channel as long as the component is mounted.
 * @param {import('./client.js').SubscribeOptions} options
 */
export function useLogsSSE(options) {
  return useSubscription(options);
}

/**
 * Follows the live logs of several channels and patterns, merged in order.
 * @param {import('./client.js').SubscribeOptions['channels']} channels
 * @param {Omit<import('./client.js').SubscribeOptions, 'channels'>} [options]
 */
export function useLogsSubscription(channels, options = {}) {
  return useSubscription({ ...options, channels: channels ?? [] });
}
