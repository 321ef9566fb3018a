// What the shop asks of paynotify's admin listener: the change feed, and to register a price.
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Follows the change feed until `signal` aborts. It alone would do, for it misses nothing; with callbacks it is the net
 * below them. `wait`: so many seconds paynotify may hold an answer until something changes; 0 asks every second.
 */
export const follow = async (ledger, { url, token, wait, signal }) => {
  while (!signal.aborted) {
    const began = Date.now();
    const found = await nextPage(ledger.cursor(), { url, token, wait, signal }).catch((error) => {
      if (!signal.aborted) console.error(`the feed is not answered: ${error.cause?.message ?? error.message}`);
      return null;
    });
    if (found !== null) ledger.takePage(found.items, found.next);
    // Also where paynotify stops: it then answers at once, with nothing.
    if (!found?.items.length && Date.now() - began < 1_000) await pause(1_000, null, { signal }).catch(() => {});
  }
};

/** On loopback paynotify needs no token. */
const authorization = (token) => (token === '' ? {} : { authorization: `Bearer ${token}` });

const nextPage = async (cursor, { url, token, wait, signal }) => {
  const response = await fetch(`${url}/api/orders?after=${cursor}&limit=100${wait > 0 ? `&wait=${wait}` : ''}`, {
    headers: authorization(token),
    signal: AbortSignal.any([signal, AbortSignal.timeout((wait + 30) * 1_000)]),
  });
  if (response.status === 410) {
    // The database went back (a restored backup, a copy). From the beginning: the ledger keeps the greatest revision of
    // each order and ships nothing twice.
    console.error((await response.json()).detail);
    return { items: [], next: '0' };
  }
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return await response.json();
};

/** Registers what an order costs; the same again changes nothing. Gives paynotify's response. */
export const register = async ({ paymentRequestId, ...expected }, { url, token }) =>
  await fetch(`${url}/api/orders/${encodeURIComponent(paymentRequestId)}`, {
    method: 'PUT',
    headers: { ...authorization(token), 'content-type': 'application/json' },
    body: JSON.stringify(expected),
    signal: AbortSignal.timeout(10_000),
  });
