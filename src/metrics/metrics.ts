import type { KeyRing } from '../antom/keys.ts';
import type { QueueLoad } from '../inbox/queue.ts';
import type { Counts } from '../store/store.ts';
import { type Sample, toText } from './counting.ts';
import { type Metric, METRICS, OTHER } from './list.ts';
import type { Measured } from './measuring.ts';
import { createTally, type Tally } from './tally.ts';

export interface MetricsOptions {
  readonly version: string;
  readonly database: 'sqlite' | 'postgres';
  readonly keys: () => KeyRing;
  readonly isReady: () => boolean;
  /** Null while the store is not open. */
  readonly load: () => QueueLoad | null;
  /** Of what is stored; null while nothing was read. */
  readonly measured: () => Promise<Measured | null>;
}

/** `text` has all of them, in the text format of Prometheus. */
export interface Metrics extends Pick<Tally, 'watch' | 'committed' | 'diagnosed' | 'posted'> {
  readonly text: () => Promise<string>;
}

type Name = keyof typeof METRICS;
type Samples = Readonly<Partial<Record<Name, readonly Sample[]>>>;

/**
 * What is counted while the service runs (tally.ts), and what is stored, counted when somebody scrapes (measuring.ts).
 */
export const createMetrics = (options: MetricsOptions): Metrics => {
  const tally = createTally();
  return {
    ...tally,
    text: async () => {
      const measured = await options.measured();
      const samples: Samples = {
        ...tally.samples(),
        ...ofProcess(options),
        ...ofStore(measured),
        ...lastVerified(tally.lastVerifiedAt(), measured),
      };
      const metrics = Object.entries(METRICS) as readonly (readonly [Name, Metric])[];
      return metrics.map(([name, metric]) => toText(metric, samples[name] ?? [])).join('');
    },
  };
};

const single = (value: number): readonly Sample[] => [{ labels: {}, value }];
const info = (labels: Sample['labels']): Sample => ({ labels, value: 1 });
const seconds = (milliseconds: number): number => milliseconds / 1_000;
/** 0 for null; the clock that wrote the time may be ahead of ours. */
const secondsSince = (time: string | null): number =>
  time === null ? 0 : Math.max(0, seconds(Date.now() - Date.parse(time)));

/** What is known without the database. */
const ofProcess = ({ version, database, keys, isReady, load }: MetricsOptions): Samples => {
  const queue = load() ?? { requests: 0, bytes: 0, oldestMs: 0 };
  const { user, system } = process.cpuUsage();
  return {
    queueRequests: single(queue.requests),
    queueBytes: single(queue.bytes),
    queueOldest: single(seconds(queue.oldestMs)),
    ready: single(Number(isReady())),
    key: [...keys()].flatMap(([clientId, clientKeys]) =>
      clientKeys.map(({ version: keyVersion, fingerprint }) =>
        info({ client_id: clientId, key_version: keyVersion ?? '', fingerprint }),
      ),
    ),
    build: [info({ version, node: process.versions.node, database })],
    processCpu: single((user + system) / 1_000_000),
    processMemory: single(process.memoryUsage.rss()),
    processStart: single(seconds(performance.timeOrigin)),
  };
};

/** Another replica may have received it, or this one before it was started. */
const lastVerified = (since: number | null, measured: Measured | null): Samples => {
  const stored = measured?.measures.lastVerifiedAt ?? null;
  const last = Math.max(since ?? 0, stored === null ? 0 : Date.parse(stored));
  return last === 0 ? {} : { lastVerified: single(seconds(last)) };
};

const ofStore = (measured: Measured | null): Samples => {
  if (measured === null) return {};
  const { failed, callbacks, heldUpSince, inquiriesHeldBackSince, moves, unverifiedRoom, bytes, disk, ...counts } =
    measured.measures;
  const { oldestReceivedAt: oldest } = failed;
  return {
    orders: by(METRICS.orders.labels, counts.orders),
    attention: by(METRICS.attention.labels, counts.attention),
    actions: by(METRICS.actions.labels, counts.actions),
    failed: single(failed.count),
    failedOldest: single(secondsSince(oldest)),
    callbacksWaiting: single(callbacks.waiting),
    callbacksOldest: single(secondsSince(callbacks.waitingSince)),
    callbacksPaused: single(callbacks.paused),
    feedHeldUp: single(secondsSince(heldUpSince)),
    inquiriesHeldBack: single(secondsSince(inquiriesHeldBackSince)),
    movesUnderWay: single(moves.underWay),
    movesOldest: single(secondsSince(moves.since)),
    unverifiedStored: by(METRICS.unverifiedStored.labels, counts.unverified),
    unverifiedBytes: unverifiedRoom.map(({ share, bytes: value }) => ({ labels: { share }, value })),
    unverifiedMaxBytes: unverifiedRoom.map(({ share, maxBytes: value }) => ({ labels: { share }, value })),
    storeBytes: single(bytes),
    ...(disk === null ? {} : { storeFreeBytes: single(disk.freeBytes), storeDiskBytes: single(disk.bytes) }),
    storeRead: single(seconds(measured.at)),
  };
};

/** One sample for each value of the one label. What is in no list counts as `other`, where there is such a value. */
const by = (labels: Readonly<Record<string, readonly string[]>>, counts: Counts<string>): readonly Sample[] =>
  Object.entries(labels).flatMap(([label, values]) => {
    const known = new Set(values);
    const others = [...counts].reduce((sum, [value, count]) => sum + (known.has(value) ? 0 : count), 0);
    return values.map((value) => ({
      labels: { [label]: value },
      value: (counts.get(value) ?? 0) + (value === OTHER ? others : 0),
    }));
  });
