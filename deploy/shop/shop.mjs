// A small shop behind paynotify: it registers what its orders cost, hears of them by callbacks and by the change feed,
// and ships each once. Node 24 or newer, nothing to install:
//   PAYNOTIFY_URL=http://127.0.0.1:9090 ADMIN_TOKEN=… ADMIN_READ_TOKEN=… CALLBACK_SECRETS=whsec_… node shop.mjs
// POST /callbacks is for paynotify: CALLBACK_URL=http://127.0.0.1:8000/callbacks, and the same CALLBACK_SECRETS.
// POST /checkout is where a buyer would come from: {"paymentRequestId", "referenceOrderId", "amount"} is registered.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { openLedger } from './ledger.mjs';
import { follow, register } from './paynotify.mjs';
import { problemOf, readSecrets } from './webhook.mjs';

const { PORT = '8000', HOST = '127.0.0.1', LEDGER = 'shop.db', PAYNOTIFY_URL = 'http://127.0.0.1:9090' } = process.env;
/** The variable, or what is in the file that NAME_FILE names; else empty. */
const secret = (name) => {
  const file = process.env[`${name}_FILE`];
  return file ? readFileSync(file, 'utf8').trim() : (process.env[name] ?? '');
};
const secrets = readSecrets(secret('CALLBACK_SECRETS'));
const admin = { url: PAYNOTIFY_URL, token: secret('ADMIN_TOKEN') };
const feed = { url: PAYNOTIFY_URL, token: secret('ADMIN_READ_TOKEN'), wait: Number(process.env.FEED_WAIT ?? 30) };
const ledger = openLedger(LEDGER);
const MAX_BYTES = 4_194_304;

/** Null where there is too much of it. */
const bodyOf = async (request) => {
  const pieces = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes <= MAX_BYTES) pieces.push(piece);
  }
  return bytes <= MAX_BYTES ? Buffer.concat(pieces) : null;
};

/** Each gives a status and a text. */
const ROUTES = {
  'POST /callbacks': async ({ headers, body }) => {
    // The signature covers the bytes: they are verified first, and parsed after that.
    const problem = problemOf({ headers, body }, secrets);
    if (problem !== null) return [401, problem];
    const { type, data } = JSON.parse(body);
    // 2xx only once it is stored. A repeat has a revision that is stored, so `webhook-id` need not be kept.
    if (type === 'order.changed') ledger.take(data.order);
    return [204, ''];
  },
  'POST /checkout': async ({ body }) => {
    const response = await register(JSON.parse(body), admin);
    return [response.status, await response.text()];
  },
  'GET /healthz': async () => [200, 'ok'],
};

const answer = async (request) => {
  const route = ROUTES[`${request.method} ${request.url}`];
  if (route === undefined) return [404, 'not found'];
  try {
    const body = await bodyOf(request);
    return body === null ? [413, 'too large'] : await route({ headers: request.headers, body });
  } catch (error) {
    // Not JSON concerns this request alone; anything else (a full disk) concerns all that are to come.
    return [error instanceof SyntaxError ? 400 : 500, error.message];
  }
};

const stopping = new AbortController();
const server = createServer((request, response) => {
  void answer(request).then(([status, text]) => {
    if (status >= 400) console.error(`${request.method} ${request.url}: ${status} ${text}`);
    if (stopping.signal.aborted) response.setHeader('connection', 'close');
    return response.writeHead(status).end(text);
  });
});
server.listen(Number(PORT), HOST, () => console.log(`the shop listens on ${HOST}:${server.address().port}`));

/** Finishes the callbacks in flight; the ledger is closed when nothing is left to do. */
const stop = () => {
  stopping.abort();
  server.close();
};
process.on('SIGTERM', stop).on('SIGINT', stop).on('beforeExit', ledger.close);
await follow(ledger, { ...feed, signal: stopping.signal });
