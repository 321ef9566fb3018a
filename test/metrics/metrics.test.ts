import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import { METRICS } from '../../src/metrics/list.ts';
import type { Measured } from '../../src/metrics/measuring.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { type Answer, createSigner, eventually, get, type Post } from '../support/client.ts';
import { headOf, openRaw } from '../support/raw-http.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import {
  environmentOf,
  holdWriteLock,
  type InProcess,
  makeDirectory,
  removeDirectories,
  startReady,
  startReceiver,
} from '../support/receiver.ts';

const signer = createSigner();
const stranger = createSigner(signer.clientId);

afterAll(removeDirectories);

/** Every sample of a scrape, by its name with its labels. */
const scrape = async (receiver: Pick<InProcess, 'admin'>): Promise<ReadonlyMap<string, number>> => {
  const { status, text } = await get(receiver.admin, '/metrics');
  expect(status).toBe(200);
  return samplesIn(text);
};
const samplesIn = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

const some = (samples: ReadonlyMap<string, number>, ...names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(names.map((name) => [name, samples.get(name) ?? Number.NaN]));

const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();

describe('a scrape, after', () => {
  let receiver: InProcess;
  beforeAll(async () => {
    receiver = await startReady(makeDirectory(), environmentOf(makeDirectory(), signer));
  });
  afterAll(async () => await receiver.stop());

  const post = async (...posts: readonly Post[]): Promise<void> => {
    for (const one of posts) await receiver.post(one);
  };

  test('nothing has happened: every counter is there, at zero, and nothing has verified', async () => {
    const samples = await scrape(receiver);
    const counters = [...samples].filter(([name]) => /^paynotify_\w+(_total|_count|_sum|_bucket)\b/.test(name));
    expect(counters.length).toBeGreaterThan(100);
    expect(counters.filter(([, value]) => value !== 0)).toEqual([]);
    expect(samples.has('paynotify_last_verified_timestamp_seconds')).toBe(false);
    expect(some(samples, 'paynotify_ready', 'paynotify_queue_requests', 'paynotify_queue_oldest_seconds')).toEqual({
      paynotify_ready: 1,
      paynotify_queue_requests: 0,
      paynotify_queue_oldest_seconds: 0,
    });
  });

  test('notifications: by kind and outcome, resends apart, with how long each took', async () => {
    const payment = signer.sign(paymentResult('S', { paymentAmount: jpy('10'), paymentTime: secondsAgo(20) }));
    const before = Date.now() / 1_000;
    await post(
      payment,
      payment,
      signer.sign(captureResult('S', { captureId: 'C1', captureAmount: jpy('10') })),
      signer.sign({ notifyType: 'PAYMENT_RESULT', result: { resultStatus: 'S' } }),
      signer.sign({ invoiceId: 'I1', invoiceStatus: 'PAID' }),
    );
    const samples = await scrape(receiver);
    expect(
      some(
        samples,
        'paynotify_notifications_total{kind="PAYMENT",outcome="APPLIED"}',
        'paynotify_notifications_total{kind="PAYMENT",outcome="MALFORMED"}',
        'paynotify_notifications_total{kind="CAPTURE",outcome="APPLIED"}',
        'paynotify_notifications_total{kind="INVOICE",outcome="UNHANDLED"}',
        'paynotify_resends_total',
        'paynotify_acknowledge_seconds_count',
        'paynotify_acknowledge_seconds_bucket{le="+Inf"}',
        'paynotify_batch_deliveries_sum',
        'paynotify_batch_deliveries_bucket{le="1"}',
        'paynotify_commit_seconds_count',
        'paynotify_payment_to_order_seconds_count',
        'paynotify_payment_to_order_seconds_bucket{le="10"}',
        'paynotify_payment_to_order_seconds_bucket{le="3600"}',
      ),
    ).toEqual({
      'paynotify_notifications_total{kind="PAYMENT",outcome="APPLIED"}': 1,
      'paynotify_notifications_total{kind="PAYMENT",outcome="MALFORMED"}': 1,
      'paynotify_notifications_total{kind="CAPTURE",outcome="APPLIED"}': 1,
      'paynotify_notifications_total{kind="INVOICE",outcome="UNHANDLED"}': 1,
      paynotify_resends_total: 1,
      paynotify_acknowledge_seconds_count: 5,
      'paynotify_acknowledge_seconds_bucket{le="+Inf"}': 5,
      paynotify_batch_deliveries_sum: 5,
      'paynotify_batch_deliveries_bucket{le="1"}': 5,
      paynotify_commit_seconds_count: 5,
      paynotify_payment_to_order_seconds_count: 1,
      'paynotify_payment_to_order_seconds_bucket{le="10"}': 0,
      'paynotify_payment_to_order_seconds_bucket{le="3600"}': 1,
    });
    expect(samples.get('paynotify_acknowledge_seconds_sum')).toBeGreaterThan(0);
    expect(samples.get('paynotify_last_verified_timestamp_seconds')).toBeGreaterThanOrEqual(before - 1);
  });

  test('what is not acknowledged, by cause; and what fails verification, by reason', async () => {
    const signed = signer.sign(paymentResult('S', { paymentId: 'P2' }));
    const get405 = await get(receiver.address, '/payNotify');
    expect(get405.status).toBe(405);
    await post(
      stranger.sign(paymentResult('S', { paymentId: 'P3' })),
      { ...signed, target: '/elsewhere' },
      { ...signed, headers: [...signed.headers, ['Content-Encoding', 'gzip']] },
      { ...signed, headers: [] },
    );
    const pipelining = await openRaw(receiver.address);
    void pipelining.write(headOf('GET /healthz HTTP/1.1', ['Host: x']).repeat(1_000));
    await pipelining.ended;
    pipelining.destroy();
    expect(
      some(
        await scrape(receiver),
        'paynotify_unverified_total{reason="SIGNATURE_MISMATCH"}',
        'paynotify_unverified_total{reason="MISSING_HEADER"}',
        'paynotify_refused_total{cause="NOT_FOUND"}',
        'paynotify_refused_total{cause="ENCODED_BODY"}',
        'paynotify_refused_total{cause="TOO_MANY_PIPELINED_REQUESTS"}',
        'paynotify_acknowledge_seconds_count',
      ),
    ).toEqual({
      'paynotify_unverified_total{reason="SIGNATURE_MISMATCH"}': 1,
      'paynotify_unverified_total{reason="MISSING_HEADER"}': 1,
      'paynotify_refused_total{cause="NOT_FOUND"}': 1,
      'paynotify_refused_total{cause="ENCODED_BODY"}': 1,
      'paynotify_refused_total{cause="TOO_MANY_PIPELINED_REQUESTS"}': 1,
      paynotify_acknowledge_seconds_count: 7,
    });
  });

  test('the client and key are those of the configuration, and no other client has a label', async () => {
    const another = createSigner('T_another');
    await post(another.sign(paymentResult('S')));
    const names = [...(await scrape(receiver)).keys()];
    expect(names.filter((name) => name.includes('client_id='))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^paynotify_key_info\\{client_id="${signer.clientId}",key_version="[^"]*",fingerprint="[\\w+/]{43}="\\}$`,
        ),
      ),
    ]);
    expect(names.filter((name) => name.includes('T_another'))).toEqual([]);
  });

  test('the version and the process', async () => {
    const samples = await scrape(receiver);
    const { version } = (await import('../../package.json', { with: { type: 'json' } })).default;
    const build = `paynotify_build_info{version="${version}",node="${process.versions.node}",database="sqlite"}`;
    expect(samples.get(build)).toBe(1);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(samples.get('process_start_time_seconds')).toBeLessThan(Date.now() / 1_000);
  });

  test('has a help text and a type for every metric with samples, once', async () => {
    const { text } = await get(receiver.admin, '/metrics');
    const described = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const listed = Object.values(METRICS).map(({ name, type }) => `${name} ${type}`);
    // Nothing else has no sample: it is SQLite, and a notification has verified.
    expect(described).toEqual(listed);
    expect(text.match(/^# HELP /gm)).toHaveLength(listed.length);
    expect(text.endsWith('\n')).toBe(true);
  });
});

test('a scrape while requests wait shows how many, how large they are and for how long', async () => {
  const directory = makeDirectory();
  const receiver = await startReady(directory, environmentOf(directory, signer));
  // What a scrape reads of the store may take long the first time; requests do not wait that long for a lock.
  await eventually(
    'the figures of the store',
    () => scrape(receiver),
    (samples) => samples.has('paynotify_store_bytes'),
  );
  const lock = holdWriteLock(directory);
  const posts = ['P1', 'P2', 'P3'].map((paymentId) => signer.sign(paymentResult('S', { paymentId })));
  const answers: Promise<Answer>[] = [];
  try {
    for (const post of posts) {
      answers.push(receiver.post(post));
      // The first ones may share a transaction, which waits for the lock; then the others queue.
      await eventually(
        'its arrival',
        () => scrape(receiver),
        (samples) => samples.get('paynotify_queue_bytes') !== 0,
      );
    }
    const samples = await eventually(
      'a queue',
      () => scrape(receiver),
      (now) => (now.get('paynotify_queue_requests') ?? 0) >= 1,
    );
    expect(samples.get('paynotify_queue_oldest_seconds')).toBeGreaterThan(0);
    expect(samples.get('paynotify_queue_bytes')).toBeGreaterThanOrEqual(posts[0]?.body.length ?? 0);
  } finally {
    lock.release();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  await receiver.stop();
});

test('while the store is not open a scrape is answered, without what is stored', async () => {
  const directory = makeDirectory();
  const receiver = await startReceiver(directory, {
    ...environmentOf(directory, signer),
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  });
  expect(await receiver.post(signer.sign(paymentResult('S')))).toMatchObject({ status: 503 });
  const samples = await scrape(receiver);
  expect(some(samples, 'paynotify_ready', 'paynotify_refused_total{cause="STORE_UNAVAILABLE"}')).toEqual({
    paynotify_ready: 0,
    'paynotify_refused_total{cause="STORE_UNAVAILABLE"}': 1,
  });
  expect([...samples.keys()].filter((name) => /^paynotify_(orders|store|failed)/.test(name))).toEqual([]);
  await receiver.stop();
});

/** What a store with these figures shows, and a process that holds these keys. */
const shown = async (
  measures: Measured['measures'],
  keys: readonly string[] = [],
): Promise<ReadonlyMap<string, number>> => {
  const { text } = createMetrics({
    version: '1.2.3',
    database: 'sqlite',
    keys: () => new Map([[signer.clientId, keys.map(readKey)]]),
    isReady: () => true,
    load: () => ({ requests: 1, bytes: 2, oldestMs: 3_000 }),
    measured: async () => ({ measures, at: 4_000 }),
  });
  return samplesIn(await text());
};

/** No two are the same. */
const figures = (): Measured['measures'] => ({
  orders: new Map([['CAPTURED', 11]]),
  attention: new Map([['OVER_CAPTURED', 12]]),
  actions: new Map([['REVIEW', 13]]),
  failed: { count: 14, oldestReceivedAt: secondsAgo(100) },
  lastVerifiedAt: new Date(5_000).toISOString(),
  unverified: new Map([['SIGNATURE_MISMATCH', 15]]),
  unverifiedRoom: [{ share: 'ALL', bytes: 16, maxBytes: 17 }],
  callbacks: { waiting: 18, waitingSince: secondsAgo(200), paused: 19 },
  heldUpSince: secondsAgo(300),
  inquiriesHeldBackSince: secondsAgo(400),
  moves: { underWay: 20, since: secondsAgo(500) },
  bytes: 21,
  disk: { bytes: 22, freeBytes: 23 },
});

test('each figure of the store and of the queue stands under its own name, times in seconds', async () => {
  const samples = [...(await shown(figures()))].filter(
    ([name, value]) => /^paynotify_(?!build_info)/.test(name) && value !== 0,
  );
  // The seconds since then: the hundred stands for them.
  const told = samples.map(([name, value]) => [name, value < 100 ? value : Math.floor(value / 100) * 100]);
  expect(Object.fromEntries(told)).toEqual({
    paynotify_queue_requests: 1,
    paynotify_queue_bytes: 2,
    paynotify_queue_oldest_seconds: 3,
    paynotify_ready: 1,
    paynotify_store_read_timestamp_seconds: 4,
    paynotify_last_verified_timestamp_seconds: 5,
    'paynotify_orders{status="CAPTURED"}': 11,
    'paynotify_orders_with_attention{code="OVER_CAPTURED"}': 12,
    'paynotify_orders_to_act_on{action="REVIEW"}': 13,
    paynotify_failed_notifications: 14,
    paynotify_failed_oldest_seconds: 100,
    'paynotify_unverified_requests{reason="SIGNATURE_MISMATCH"}': 15,
    'paynotify_unverified_bytes{share="ALL"}': 16,
    'paynotify_unverified_max_bytes{share="ALL"}': 17,
    paynotify_callbacks_waiting_orders: 18,
    paynotify_callbacks_oldest_seconds: 200,
    paynotify_callbacks_paused_urls: 19,
    paynotify_feed_held_up_seconds: 300,
    paynotify_inquiries_held_back_seconds: 400,
    paynotify_moves_under_way: 20,
    paynotify_moves_oldest_seconds: 500,
    paynotify_store_bytes: 21,
    paynotify_store_disk_bytes: 22,
    paynotify_store_free_bytes: 23,
  });
});

test('what was written by a clock that is ahead was written now', async () => {
  const samples = await shown({ ...figures(), heldUpSince: secondsAgo(-300) });
  expect(samples.get('paynotify_feed_held_up_seconds')).toBe(0);
});

test('a key that is configured without a version has none', async () => {
  const names = [...(await shown(figures(), [signer.publicKey, `2:${signer.publicKey}`])).keys()];
  expect(
    names.filter((name) => name.includes('key_info')).map((name) => /key_version="(.*?)"/.exec(name)?.[1]),
  ).toEqual(['', '2']);
});

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
test('the CPU time is in seconds', async () => {
  const before = cpuSeconds();
  const used = (await shown(figures())).get('process_cpu_seconds_total');
  expect(used).toBeGreaterThanOrEqual(before);
  expect(used).toBeLessThanOrEqual(cpuSeconds());
});
