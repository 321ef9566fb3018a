import { type AntomClient, createAntomClient } from '../../src/antom/client.ts';
import { readKey } from '../../src/antom/keys.ts';
import { planInquiries } from '../../src/reconcile/plan.ts';
import { createReconciling, type Made, type ReconcilingOptions } from '../../src/reconcile/reconciling.ts';
import type { Store } from '../../src/store/store.ts';
import type { Fields } from '../support/facts.ts';
import { CLIENT, MERCHANT_KEY, type Served } from '../sandbox/support.ts';
import { registration } from '../store/support.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The real client, to a sandbox in this process. */
export const clientOf = ({ url, publicKey }: Pick<Served, 'url' | 'publicKey'>): AntomClient =>
  createAntomClient({
    clientId: CLIENT,
    origin: url,
    signingKey: { key: MERCHANT_KEY, version: '1' },
    keys: [readKey(`1:${publicKey}`)],
    timeoutMs: 5_000,
  });

/** A clock that stands still until it is moved; ahead of the store's. */
export interface Clock {
  readonly now: () => number;
  readonly advance: (ms: number) => void;
}

export const createClock = (): Clock => {
  let at = Date.now();
  return {
    now: () => at,
    advance: (ms) => {
      at += ms;
    },
  };
};

export interface Asker {
  /** Plans what there is to plan, and makes every inquiry that is due. */
  readonly askAll: () => Promise<readonly Made[]>;
}

/** What a replica does each minute, without the minutes. Its pauses have no jitter. */
export const createAsker = (
  store: Store,
  client: AntomClient,
  { now, ...options }: Pick<Clock, 'now'> & Partial<ReconcilingOptions>,
): Asker => {
  const reconciling = createReconciling({ store, perSecond: 1_000, now, random: () => 0.5, ...options });
  return {
    askAll: async () => {
      await planInquiries({ store, clientIds: [CLIENT], now: now(), isBack: false });
      const made: Made[] = [];
      for (;;) {
        const taken = await reconciling.take({ clientId: CLIENT, client });
        if (taken.kind === 'none') return made;
        if (taken.kind === 'taken') made.push(await taken.make());
      }
    },
  };
};

export const questions = (made: readonly Made[]): readonly string[] =>
  made.map(({ key, why, inquired }) => `${key.id.trim()} ${why}: ${inquired.outcome} ${inquired.code}`);

/** The shop registers a payment of 1000 JPY. */
export const register = async (store: Store, paymentRequestId: string): Promise<void> => {
  await store.register(
    registration({ clientId: CLIENT, paymentRequestId, amount: { currency: 'JPY', value: '1000' } }),
    { replace: false, now: new Date() },
  );
};

/** Somebody pays at APO; returns the paymentId. */
export const pay = async (
  sandbox: Served,
  paymentRequestId: string,
  captureMode: 'AUTOMATIC' | 'MANUAL' = 'AUTOMATIC',
): Promise<string> => {
  const amount = { currency: 'JPY', value: '1000' };
  const made = await sandbox.control('POST', '/payments', { paymentRequestId, amount, captureMode });
  return String((made['payment'] as Fields)['paymentId']);
};
