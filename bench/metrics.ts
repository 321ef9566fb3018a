import type { Recorded } from '../src/store/store.ts';
import { METRICS } from '../src/metrics/list.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { deliveryOf } from './delivery.ts';
import { bodyOf } from './notifications.ts';

/*
 * What metrics cost: what is counted for a notification, payments and captures in turn, in batches of one and of 64,
 * the clock included that they need; and what a scrape costs that reads no database. `npm run bench:metrics`
 */
const ROUNDS = 15;
const NOTIFICATIONS = 128_000;
const MOST_US = 1;

const metrics = createMetrics({
  version: '0',
  database: 'sqlite',
  keys: () => new Map(),
  isReady: () => true,
  load: () => null,
  measured: async () => await Promise.resolve(null),
});

const count = 512;
const deliveries = Array.from({ length: count }, (_, n) => deliveryOf(bodyOf(n)));
const results = deliveries.map(
  ({ read: { reading } }) => ({ kind: 'notification', reading, deliveries: 1 }) as unknown as Recorded,
);
const receipts = results.map(
  (recorded) => ({ kind: 'acknowledged', recorded, acknowledgement: '', reason: null }) as const,
);

/** Microseconds a notification. */
const measure = (size: number): number => {
  const batches = Array.from({ length: count / size }, (_, at) => ({
    deliveries: deliveries.slice(at * size, (at + 1) * size),
    results: results.slice(at * size, (at + 1) * size),
    ms: 1.5,
  }));
  const began = performance.now();
  for (let done = 0; done < NOTIFICATIONS; done += count) {
    for (const batch of batches) metrics.committed(batch);
    for (const receipt of receipts) {
      const answering = performance.now();
      metrics.watch.answered(receipt, performance.now() - answering);
    }
  }
  return ((performance.now() - began) / NOTIFICATIONS) * 1_000;
};

const rounds = Array.from({ length: ROUNDS }, () => [measure(1), measure(64)] as const);
// The fastest round is the one that nothing else on the machine disturbed.
const alone = Math.min(...rounds.map(([one]) => one));
const together = Math.min(...rounds.map(([, many]) => many));
const began = performance.now();
const text = await metrics.text();
const scrape = performance.now() - began;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`a notification: ${alone.toFixed(2)} µs in a batch of its own, ${together.toFixed(2)} µs among 64`);
print(
  `a scrape: ${scrape.toFixed(1)} ms for ${Object.keys(METRICS).length} metrics, ${(text.length / 1_024).toFixed(0)} KiB`,
);
process.exitCode = Math.max(alone, together) < MOST_US ? 0 : 1;
