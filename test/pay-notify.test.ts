import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { readKey } from '../src/antom/keys.ts';
import type { SignedRequest, Trust } from '../src/antom/signature.ts';
import { trustDigest } from '../src/antom/trust-digest.ts';
import { handlers } from '../src/handlers/index.ts';
import { createInbox, type Inbox, type InboxOptions } from '../src/inbox/inbox.ts';
import { createPayNotify, type PayNotify, type PayNotifyOptions } from '../src/pay-notify.ts';
import { openSqlite } from '../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../src/store/store.ts';
import { ACKNOWLEDGEMENT, createSigner, type Post, withHeaders } from './support/client.ts';
import { type Clock, stopClock } from './support/clock.ts';
import { paymentResult } from './support/facts.ts';
import { fileIn, holdWriteLock, makeDirectory, query, removeDirectory } from './support/receiver.ts';
import { RULES } from './support/rules.ts';

const signer = createSigner();
const stranger = createSigner(signer.clientId);
const trusting = (publicKey: string): Trust => ({
  keys: new Map([[signer.clientId, [readKey(publicKey)]]]),
  publicUris: [],
});

let directory: string;
let store: Store;
let inbox: Inbox;

/** Nothing is late or overloaded but by a test: a machine that halts for a moment is not. */
let clock: Clock;
const openInbox = (options: Partial<InboxOptions> = {}): Inbox =>
  createInbox({ store, unverifiedMaxBytes: 100_000, unverifiedMaxPerSecond: 1_000, ...options });

beforeEach(async () => {
  clock = stopClock();
  directory = makeDirectory();
  store = await openSqlite({ file: fileIn(directory), rules: RULES });
  inbox = openInbox({ maxEntries: 2, dueAfterMs: 500 });
});

afterEach(async () => {
  await inbox.drain();
  jest.restoreAllMocks();
  await store.close();
  removeDirectory(directory);
});

/** Read once, as by the service. */
const usual = trusting(signer.publicKey);

const open = (options: Partial<PayNotifyOptions> = {}): PayNotify =>
  createPayNotify({ trust: () => usual, handlers, inbox: () => inbox, ...options });

/** As the listener hands it over. */
const requestOf = ({ method, target, headers, body }: Post): SignedRequest => {
  const each = (name: string): readonly string[] =>
    headers.flatMap(([header, value]) => (header === name ? [value] : []));
  return {
    method,
    target,
    clientIds: each('client-id'),
    requestTimes: each('request-time'),
    signatures: each('signature'),
    body,
  };
};

const genuine = requestOf(signer.sign(paymentResult('S', { paymentId: 'P1' })));
const forged = requestOf(stranger.sign(paymentResult('S', { paymentId: 'P1' })));
const count = (table: string): unknown => query(directory, `select count(*) as n from ${table}`)[0]?.['n'];

test('a verified notification is recorded, then acknowledged with the fixed bytes', async () => {
  const receipt = await open()(genuine);
  expect(receipt).toMatchObject({
    kind: 'acknowledged',
    reason: null,
    recorded: { kind: 'notification', reading: { outcome: 'APPLIED', paymentId: 'P1' }, deliveries: 1 },
  });
  expect(receipt).toMatchObject({ acknowledgement: ACKNOWLEDGEMENT });
  expect([count('notifications'), count('orders'), count('unverified')]).toEqual([1, 1, 0]);
});

test('an unverified request is recorded apart, and acknowledged with the same bytes', async () => {
  const receipt = await open()(forged);
  expect(receipt).toMatchObject({
    kind: 'acknowledged',
    reason: 'SIGNATURE_MISMATCH',
    recorded: { kind: 'unverified', deliveries: 1 },
  });
  expect(receipt).toMatchObject({ acknowledgement: ACKNOWLEDGEMENT });
  expect([count('notifications'), count('orders'), count('unverified')]).toEqual([0, 0, 1]);
});

test('signed nonsense is acknowledged as well', async () => {
  expect(await open()(requestOf(signer.sign('nonsense')))).toMatchObject({
    kind: 'acknowledged',
    recorded: { reading: { outcome: 'MALFORMED' } },
  });
});

test('nothing is acknowledged before the store is open', async () => {
  for (const request of [genuine, forged]) {
    expect(await open({ inbox: () => null })(request)).toEqual({
      kind: 'not stored',
      because: 'STORE_UNAVAILABLE',
      reason: null,
    });
  }
});

test('nothing is acknowledged that the queue has no room for', async () => {
  const receive = open();
  const lock = holdWriteLock(directory);
  const received = Array.from({ length: 4 }, () => receive(genuine));
  clock.pass(500);
  const replies = await Promise.all(received);
  lock.release();
  expect(replies.map((reply) => reply.kind === 'not stored' && reply.because)).toEqual([
    'STORE_SLOW',
    'STORE_SLOW',
    'QUEUE_FULL',
    'QUEUE_FULL',
  ]);
});

test('who comes while the queue is overloaded is refused before anything is verified; who waits in it is stored', async () => {
  const roomy = openInbox();
  const receive = open({ inbox: () => roomy });
  // One transaction takes at most 256, so more than as many again wait, however the first one was filled.
  const crowd = Array.from({ length: 600 }, (_, index) =>
    requestOf(signer.sign(paymentResult('S', { paymentId: `P${index}`, paymentRequestId: `R${index}` }))),
  );
  const lock = holdWriteLock(directory);
  const waiting = crowd.map((request) => receive(request));
  clock.pass(101);
  expect(await receive(forged)).toEqual({ kind: 'not stored', because: 'QUEUE_FULL', reason: null });
  lock.release();
  expect(new Set((await Promise.all(waiting)).map(({ kind }) => kind))).toEqual(new Set(['acknowledged']));
  expect([count('notifications'), count('unverified')]).toEqual([600, 0]);
  expect(await receive(forged)).toMatchObject({ kind: 'acknowledged', reason: 'SIGNATURE_MISMATCH' });
  await roomy.drain();
});

test('a crowd is verified in several goes, and each of it is answered for itself', async () => {
  const roomy = openInbox();
  const receive = open({ inbox: () => roomy });
  const requests = Array.from({ length: 150 }, (_, index) =>
    requestOf(
      (index % 10 === 9 ? stranger : signer).sign(
        paymentResult('S', { paymentId: `P${index}`, paymentRequestId: `R${index}` }),
      ),
    ),
  );
  const replies = await Promise.all(requests.map((request) => receive(request)));
  expect(
    replies.map(
      (reply) =>
        reply.kind === 'acknowledged' && reply.recorded.kind === 'notification' && reply.recorded.reading.paymentId,
    ),
  ).toEqual(requests.map((_, index) => index % 10 !== 9 && `P${index}`));
  expect([count('notifications'), count('unverified')]).toEqual([135, 15]);
  await roomy.drain();
});

test('what arrives while each turn of the event loop brings more is stored in one transaction', async () => {
  const roomy = openInbox();
  const receive = open({ inbox: () => roomy });
  const turnByTurn = async (attempt: number): Promise<unknown> => {
    const replies: Promise<unknown>[] = [];
    for (let index = 0; index < 5; index += 1) {
      replies.push(receive(requests[attempt * 5 + index] as SignedRequest));
      await new Promise(setImmediate);
    }
    await Promise.all(replies);
    return query(
      directory,
      'select count(distinct raw_batch) as n from (select raw_batch from notifications order by position desc limit 5)',
    )[0]?.['n'];
  };
  const requests = Array.from({ length: 50 }, (_, index) =>
    requestOf(signer.sign(paymentResult('S', { paymentId: `P${index}`, paymentRequestId: `R${index}` }))),
  );
  // A machine that stops for a moment ends a turn early: not every time.
  const transactions: unknown[] = [];
  for (let attempt = 0; attempt < 10 && !transactions.includes(1); attempt += 1)
    transactions.push(await turnByTurn(attempt));
  expect(transactions).toContain(1);
  await roomy.drain();
});

test('an unverified body over 32 KiB is not stored and not acknowledged, a verified one is', async () => {
  const large = 'x'.repeat(32_769);
  const receive = open();
  expect(await receive(requestOf(stranger.sign(large)))).toEqual({
    kind: 'not stored',
    because: 'UNVERIFIED_FULL',
    reason: 'SIGNATURE_MISMATCH',
  });
  expect(count('unverified')).toBe(0);
  expect(await receive(requestOf(stranger.sign(large.slice(1))))).toMatchObject({ kind: 'acknowledged' });
  expect(await receive(requestOf(signer.sign(large)))).toMatchObject({
    kind: 'acknowledged',
    recorded: { reading: { outcome: 'MALFORMED' } },
  });
});

test('what fails by its headers alone does not queue while none of the unverified are stored', async () => {
  const narrow = openInbox({ unverifiedMaxPerSecond: 0, maxEntries: 1 });
  const receive = open({ inbox: () => narrow });
  // The first takes the one place of the queue.
  const replies = await Promise.all(
    [genuine, { ...forged, signatures: [] }, forged].map((request) => receive(request)),
  );
  expect(replies).toMatchObject([
    { kind: 'acknowledged', reason: null },
    { because: 'UNVERIFIED_TOO_MANY', reason: 'MISSING_HEADER' },
    { because: 'QUEUE_FULL', reason: null },
  ]);
  expect(await receive(forged)).toMatchObject({ because: 'UNVERIFIED_TOO_MANY', reason: 'SIGNATURE_MISMATCH' });
  expect([count('notifications'), count('unverified')]).toEqual([1, 0]);
  await narrow.drain();
});

test('what is stored of an unverified request says where its signature comes from, and what it failed under', async () => {
  const receive = open();
  await receive(forged);
  await receive({ ...genuine, body: Buffer.from('{}') });
  await receive({ ...genuine, clientIds: ['T_other'] });
  const { items } = await store.readUnverified({ limit: 9, cursor: null });
  expect(items.map(({ origin }) => origin)).toEqual(['OTHER_KEY', 'CONFIGURED_KEY', 'UNKNOWN']);
  const digest = trustDigest(usual);
  expect(items.map((item) => item.trust)).toEqual([digest, digest, digest]);
});

test('the keys of the moment decide', async () => {
  let trust = trusting(stranger.publicKey);
  const receive = open({ trust: () => trust });
  expect(await receive(genuine)).toMatchObject({ reason: 'SIGNATURE_MISMATCH' });
  trust = trusting(signer.publicKey);
  expect(await receive(genuine)).toMatchObject({ reason: null });
  expect(await receive(requestOf(withHeaders(signer.sign('{}'), { 'client-id': 'T_other' })))).toMatchObject({
    reason: 'UNKNOWN_CLIENT',
  });
});
