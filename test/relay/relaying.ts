import { setTimeout as pause } from 'node:timers/promises';
import { type Relay, type RelayOptions, type RelayReport, startRelay } from '../../src/relay/relay.ts';
import { readSecret } from '../../src/relay/standard-webhooks.ts';
import { type CallbackTarget, toTarget } from '../../src/relay/target.ts';
import type { OrderCallback, Store } from '../../src/store/store.ts';
import { eventually } from '../support/client.ts';
import { CLIENT } from '../support/facts.ts';

export const targetOf = (url: string, secrets: readonly string[], clientId = CLIENT): CallbackTarget =>
  toTarget(clientId, {
    url: new URL(url),
    secrets: secrets.map((secret) => {
      const key = readSecret(secret);
      if (key instanceof Uint8Array) return key;
      throw new Error(key.flaw);
    }),
  });

/** What a relay told, in order. */
export interface Told {
  readonly kind: keyof RelayReport;
  readonly what: unknown;
}

export interface TestRelay extends Relay {
  readonly told: () => readonly Told[];
  readonly toldOf: (kind: keyof RelayReport) => readonly unknown[];
}

/** Neither a lease nor a post runs out by itself, however slow the machine. */
const OPTIONS = { leaseMs: 120_000, postTimeoutMs: 60_000, scheduleMs: [60, 120] };
/** A lease that a test waits out, or for; and posts that fit into it. */
export const SHORT_LEASE = { leaseMs: 6_000, postTimeoutMs: 4_000 };

/** A relay that follows its URLs by now; it looks for changes every 20 ms. */
export const begin = async (
  store: Store,
  targets: readonly CallbackTarget[],
  options: Partial<RelayOptions> = {},
): Promise<TestRelay> => {
  const told: Told[] = [];
  const tell =
    (kind: keyof RelayReport) =>
    (what: unknown): void => {
      told.push({ kind, what });
    };
  const toldOf = (kind: keyof RelayReport): readonly unknown[] =>
    told.filter((one) => one.kind === kind).map(({ what }) => what);
  const relay = startRelay(targets, {
    store,
    waitForChange: async (_, { ms, signal }) => {
      await pause(Math.min(ms, 20), undefined, { signal }).catch(() => undefined);
      return true;
    },
    report: {
      posted: () => undefined,
      began: tell('began'),
      paused: tell('paused'),
      released: tell('released'),
      refused: tell('refused'),
      late: tell('late'),
      failed: tell('failed'),
    },
    ...OPTIONS,
    ...options,
  });
  return { ...relay, told: () => told, toldOf };
};

export const follows = async (store: Store, origin: string): Promise<void> => {
  await eventually(
    'following',
    async () => await store.listCallbackUrls(),
    (urls) => urls.some((url) => url.origin === origin && url.inUse),
  );
};

/** Waits until the shop has been told everything. */
export const allTold = async (store: Store): Promise<void> => {
  await eventually(
    'all told',
    async () => await store.listCallbackUrls(),
    (urls) => urls.every(({ waitingSince }) => waitingSince === null),
  );
};

/** What each URL was told of a payment, and is still to be told. */
export const callbacksOf = async (store: Store, paymentId: string): Promise<readonly OrderCallback[]> =>
  (await store.timeline({ clientId: CLIENT, paymentId, paymentRequestId: null }))?.callbacks ?? [];
