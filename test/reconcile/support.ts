import { type AntomClient, createAntomClient } from '../../src/antom/client.ts';
import { readKey } from '../../src/antom/keys.ts';
import { readPrivateKeyText } from '../../src/antom/private-key.ts';
import { planInquiries } from '../../src/reconcile/plan.ts';
import { createReconciling, type Made, type ReconcilingOptions } from '../../src/reconcile/reconciling.ts';
import type { InquiryKey, PlannedInquiry, Store } from '../../src/store/store.ts';
import { type AntomApi, APO_PUBLIC_KEY, MERCHANT_KEY as KEY_AT_API } from '../support/antom-api.ts';
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

/** The same, to a server that answers as a test says. */
export const clientAt = ({ origin }: Pick<AntomApi, 'origin'>, clientId: string, timeoutMs = 5_000): AntomClient =>
  createAntomClient({
    clientId,
    origin,
    signingKey: { key: readPrivateKeyText(KEY_AT_API).key, version: '1' },
    keys: [readKey(APO_PUBLIC_KEY)],
    timeoutMs,
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
  readonly askAll: (how?: { readonly isBack: boolean }) => Promise<readonly Made[]>;
}

/** What a replica does each minute, without the minutes. Its pauses have no jitter. */
export const createAsker = (
  store: Store,
  { client, clientId = CLIENT }: { readonly client: AntomClient; readonly clientId?: string },
  { now, ...options }: Pick<Clock, 'now'> & Partial<ReconcilingOptions>,
): Asker => {
  const reconciling = createReconciling({ store, perSecond: 1_000, now, random: () => 0.5, ...options });
  return {
    askAll: async ({ isBack } = { isBack: false }) => {
      const planning = { store, clientIds: [clientId], now: now(), isBack, isFirst: isBack, isStopping: () => false };
      await planInquiries(planning);
      const made: Made[] = [];
      for (;;) {
        const taken = await reconciling.take({ clientId, client });
        if (taken.kind === 'none') return made;
        if (taken.kind === 'taken') made.push(await taken.make());
      }
    },
  };
};

export const questions = (made: readonly Made[]): readonly string[] =>
  made.map(({ key, why, inquired }) => `${key.id.trim()} ${why}: ${inquired.outcome} ${inquired.code}`);

/** The shop registers a payment of 1000 JPY. */
export const register = async (store: Store, paymentRequestId: string, clientId = CLIENT): Promise<void> => {
  const amount = { currency: 'JPY', value: '1000' };
  const expected = registration({ clientId, paymentRequestId, amount, referenceOrderId: null });
  await store.register(expected, { replace: false, now: new Date() });
};

/** Registers so many of its own, named by a letter. */
export const registerMany = async (store: Store, count: number, clientId: string): Promise<readonly string[]> => {
  const ids = Array.from({ length: count }, (_, index) => `${clientId}-${index}`);
  for (const id of ids) await register(store, id, clientId);
  return ids;
};

/** The order's inquiry as the timeline tells it; null where none is planned. */
export const planned = async (store: Store, clientId: string, id: string): Promise<PlannedInquiry | null> => {
  const [order] = await store.findOrders({ clientId, id });
  return order === undefined ? null : ((await store.timeline(order))?.inquiry ?? null);
};

export const keyOfRegistration = (clientId: string, paymentRequestId: string): InquiryKey => ({
  clientId,
  about: 'order',
  id: ` ${paymentRequestId}`,
});

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
