// The logs gateway on the origin of an Express application, for whoever is signed in there.

import http, { STATUS_CODES } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import express from 'express';

const PREFIX = '/api/dapadmin/l5-etl/sse/logs';
const GATEWAY = process.env.SSE_BACKEND_URL ?? 'http://localhost:3002';
/** The gateway's own PROXY_TOKEN, beside AUTH=proxy. */
const PROXY_TOKEN = process.env.PROXY_TOKEN ?? '';

// ---- Yours: who is behind a request, by its session. Where express-session is in use it may be no more than
// `request.session.user`; here a sign-on is asked with the request's cookie. Nobody: null.
/** @returns {Promise<{ id: string, workspaces: string } | null>} `workspaces`: one, a comma list, or `*` */
async function userOf(request) {
  const signOn = process.env.SIGN_ON_URL ?? 'http://localhost:8080/whoami';
  const answer = await fetch(signOn, { headers: { cookie: request.headers.cookie ?? '' } });
  if (answer.status >= 500) throw new Error(`the sign-on answers ${answer.status}`);
  const [id, workspaces] = [answer.headers.get('x-user-id'), answer.headers.get('x-workspace-id')];
  return answer.ok && id && workspaces ? { id, workspaces } : null;
}
// ----

/** Of a request only these go on: no cookie, and nothing that speaks in the user's name. */
const ONWARD = ['accept', 'content-type', 'last-event-id', 'user-agent', 'if-none-match'];
/** Of the connection to the gateway, and what the gateway allows other origins. */
const OF_THE_HOP = /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|access-control-.*)$/;

/** Sends a request on to this path of the gateway, and its answer back as it comes. */
function forward(request, response, path, identity = {}) {
  // The last address is the one that is known; the gateway believes it where its TRUSTED_PROXIES names this machine.
  const from = [request.headers['x-forwarded-for'], request.socket.remoteAddress].filter(Boolean).join(', ');
  const headers = { ...identity, 'x-forwarded-for': from, 'x-forwarded-proto': request.protocol };
  for (const name of ONWARD) if (request.headers[name]) headers[name] = request.headers[name];
  const url = new URL(path, GATEWAY);
  // `/assets/../admin` is none of the paths below: nothing leaves them.
  if (url.pathname !== path.split('?')[0]) return refuse(response, 404, 'not_found', 'nothing is at this path');
  const { request: ask } = url.protocol === 'https:' ? https : http;
  const upstream = ask(url, { method: request.method, headers });
  upstream.on('response', (answer) => {
    const kept = Object.entries(answer.headers).filter(([name]) => !OF_THE_HOP.test(name));
    response.writeHead(answer.statusCode, Object.fromEntries(kept));
    // Reads no faster than the browser; where one side ends, so does the other.
    pipeline(answer, response, () => {});
  });
  upstream.on('error', () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 502, 'upstream_unreachable', 'the logs gateway behind this proxy cannot be reached');
  });
  // Far more than HEARTBEAT_MS: a gateway that is silent for so long is gone.
  upstream.setTimeout(75_000, () => upstream.destroy(new Error('silent')));
  response.on('close', () => upstream.destroy());
  pipeline(request, upstream, () => {});
}

/** The same for somebody who is signed in. */
const signedIn = (path) => async (request, response) => {
  const user = await userOf(request);
  if (!user) return refuse(response, 401, 'missing_identity', 'nobody is signed in');
  forward(request, response, path(request), {
    'x-user-id': user.id,
    'x-workspace-id': user.workspaces,
    'x-proxy-token': PROXY_TOKEN,
  });
};

/** workspace_id and workflow_id are a channel of this service, unless the query names channels itself. */
function query(request) {
  const asked = new URL(request.originalUrl, GATEWAY).searchParams;
  asked.delete('token');
  if (!asked.get('channels') && !asked.get('service')) asked.set('service', 'etl');
  return asked;
}

function refuse(response, status, code, detail) {
  const problem = { status, title: STATUS_CODES[status], success: false, code, detail };
  response.status(status).type('application/problem+json').send(JSON.stringify(problem));
}

const app = express();
app.disable('x-powered-by');
app.get(`${PREFIX}/stream`, signedIn((request) => `/api/logs/stream?${query(request)}`));
app.get(`${PREFIX}/history`, signedIn((request) => `/api/logs/history?${query(request)}`));
app.get(`${PREFIX}/channels`, signedIn((request) => `/api/logs/channels?${query(request)}`));
app.patch(`${PREFIX}/streams/:id`, signedIn(({ params }) => `/api/logs/streams/${encodeURIComponent(params.id)}`));
// The widget. Where the page's own files are below /assets too, put this one on a host name of its own.
app.get(['/logs-widget.js', '/assets/*file'], (request, response) => forward(request, response, request.path));
// Who knows the users does not answer.
app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  console.error(error);
  refuse(response, 502, 'identity_unavailable', 'it cannot be told who is signed in');
});

const server = app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '0.0.0.0', (error) => {
  if (error) throw error;
  console.log(`listening on http://${process.env.HOST ?? '127.0.0.1'}:${server.address().port}`);
});
// Streams have no end of their own: a browser that is cut comes back with the last id it has seen.
process.on('SIGTERM', () => server.close().closeAllConnections());
