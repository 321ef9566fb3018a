import type { AttentionCode } from '../order/attention-code.ts';
import type { Order } from '../order/order.ts';
import { SETTING } from '../store/setting.ts';
import { ANY_ORDER, type Store } from '../store/store.ts';

/**
 * What is wrong with what we know about payment methods: nothing decides, or a capture came where none was expected.
 */
const METHOD_CODES = ['CAPTURE_UNDECIDED', 'CAPTURE_UNEXPECTED'] as const satisfies readonly AttentionCode[];
export type MethodCode = (typeof METHOD_CODES)[number];

/** A method of which an order changed within a day. */
export interface MethodReport {
  readonly code: MethodCode;
  /** Of one order of it: the method is said there, and not in the log. */
  readonly paymentId: string | null;
}

const LOOKED_AT = 100;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Reports each method once a day, whichever replica looks. `now` is ours. What was said is remembered by its day, so
 * that nothing of an earlier one is kept.
 */
export const reportMethods = async (
  store: Pick<Store, 'listOrders' | 'recall' | 'remember'>,
  report: (method: MethodReport) => void,
  now: Date,
): Promise<void> => {
  const day = now.toISOString().slice(0, 10);
  const said = readSaid(await store.recall(SETTING.methods), day);
  const before = said.size;
  for (const code of METHOD_CODES) {
    for (const { paymentMethod, paymentId, updatedAt } of await listed(store, code)) {
      const name = `${code} ${paymentMethod ?? ''}`;
      if (said.has(name) || now.getTime() - Date.parse(updatedAt) > DAY_MS) continue;
      said.add(name);
      report({ code, paymentId });
    }
  }
  if (said.size > before) await store.remember(SETTING.methods, JSON.stringify({ day, said: [...said] }));
};

const listed = async ({ listOrders }: Pick<Store, 'listOrders'>, attention: MethodCode): Promise<readonly Order[]> => {
  const { items } = await listOrders({ ...ANY_ORDER, attention }, { limit: LOOKED_AT, cursor: null });
  return items;
};

const readSaid = (text: string | null, day: string): Set<string> => {
  if (text === null) return new Set();
  // Written by `reportMethods`.
  const remembered = JSON.parse(text) as { readonly day: string; readonly said: readonly string[] };
  return new Set(remembered.day === day ? remembered.said : []);
};
