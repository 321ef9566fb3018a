import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { captureByRegistration } from '../../src/moves/auto-capture.ts';
import { createMoves } from '../../src/moves/moves.ts';
import type { Order } from '../../src/order/order.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { CLIENT, keepUp } from '../sandbox/support.ts';
import { registration } from '../store/support.ts';
import { makeDirectory, removeDirectories } from '../support/receiver.ts';
import { RULES } from '../support/rules.ts';
import { asking, type Ground, layGround, made } from './support.ts';

/** A restored backup, or a standby that took over, does not know of the last captures and refunds. APO does. */

keepUp();
let ground: Ground;
const restored: Store[] = [];
beforeAll(async () => {
  ground = await layGround();
});
afterAll(async () => {
  for (const store of restored) await store.close();
  await ground.stop();
  removeDirectories();
});

const yen = (value: string) => ({ currency: 'JPY', value });
const { signal } = new AbortController();

/** The same ground on the database as it was before something was sent. */
const goneBack = async (send: () => Promise<unknown>): Promise<Ground> => {
  const file = join(makeDirectory(), 'backup.db');
  await ground.store.backup(file);
  await send();
  const rules = { ...RULES, captureMode: 'MANUAL' } as const;
  const { own: store } = await openStore({ databaseUrl: `sqlite:${file}`, rules, allowUnsafeDatabase: false });
  restored.push(store);
  return {
    ...ground,
    store,
    moves: createMoves({ store, clients: new Map([[CLIENT, ground.client]]), signal }),
    order: async (id) => {
      const [order] = await store.findOrders({ clientId: CLIENT, id });
      if (order === undefined) throw new Error(`there is no order ${id}`);
      return order;
    },
  };
};

const USED = { status: 'FAILED', reason: 'USED_ID', resultCode: 'REPEAT_REQ_INCONSISTENT' } as const;
const LOST = {
  capture: { kind: 'capture', amount: yen('300') },
  refund: { kind: 'refund', amount: yen('300') },
} as const;
/** What the order says of it once APO was asked. */
const SHOWN = {
  capture: { status: 'PARTIALLY_CAPTURED', capturedAmount: yen('300'), captures: [{ status: 'SUCCEEDED' }] },
  refund: { refundedAmount: yen('300'), refunds: [{ status: 'SUCCEEDED', amount: yen('300') }] },
} as const;

const ready = async (kind: 'capture' | 'refund'): Promise<string> => {
  const id = await ground.authorized();
  if (kind === 'refund') await made(ground, id, { kind: 'capture' });
  return id;
};

describe.each(['capture', 'refund'] as const)('a %s of which the record is lost', (kind) => {
  test('is in its order as soon as another one under its id has failed', async () => {
    const id = await ready(kind);
    const back = await goneBack(async () => await made(ground, id, LOST[kind]));
    expect(await back.order(id)).not.toMatchObject(SHOWN[kind]);
    const orders: Promise<Order>[] = [];
    const moves = createMoves({
      ...back,
      clients: new Map([[CLIENT, back.client]]),
      signal,
      onKept: () => void orders.push(back.order(id)),
    });
    const other = await made({ moves }, id, { kind, amount: yen('200') });
    expect(other).toMatchObject(USED);
    // Not only afterwards: whoever reads of the failure finds it.
    expect(await Promise.all(orders)).toMatchObject([SHOWN[kind]]);
    // The next one counts it.
    const result = await back.moves.make(asking(id, { kind, amount: yen('800') }));
    expect(result).toMatchObject({ kind: 'refused', refused: { reason: 'TOO_MUCH' } });
    expect(await made(back, id, { kind, amount: yen('200') })).toMatchObject({ status: 'SUCCEEDED' });
    const { moved } = await ground.ledger(id);
    expect(kind === 'capture' ? moved.paid : moved.returned).toBe('500');
  });

  test('is told of by the reason also where APO cannot be asked', async () => {
    const id = await ready(kind);
    const back = await goneBack(async () => await made(ground, id, LOST[kind]));
    const away = { operation: 'inquiryPayment', resultCode: 'UNKNOWN_EXCEPTION', payment: id };
    await ground.sandbox.control('POST', '/answers', away);
    const other = await made(back, id, { kind, amount: yen('200') });
    expect(other).toMatchObject(USED);
    expect((await back.store.listMoves(CLIENT, id)).at(-1)).toMatchObject(USED);
    expect(await back.order(id)).not.toMatchObject(SHOWN[kind]);
  });
});

test.each([true, false])(
  'AUTO_CAPTURE captures nothing more after it, whether APO could be asked (%s) or not',
  async (isAnswered) => {
    const id = await ready('capture');
    const { paymentRequestId } = await ground.ledger(id);
    const said = { clientId: CLIENT, paymentRequestId, amount: yen('1000'), captureMode: 'MANUAL' } as const;
    await ground.store.register(registration({ ...said, referenceOrderId: null }), { replace: false, now: new Date() });
    const back = await goneBack(async () => await made(ground, id, LOST.capture));
    const away = { operation: 'inquiryPayment', resultCode: 'UNKNOWN_EXCEPTION', payment: id };
    if (!isAnswered) await ground.sandbox.control('POST', '/answers', away);
    const told: string[] = [];
    const onNotCaptured = ({ paymentId }: Order, reason: string): void => void told.push(`${paymentId} ${reason}`);
    const moves = createMoves({
      store: back.store,
      clients: new Map([[CLIENT, back.client]]),
      signal,
      onKept: ({ paymentId, reason }) => void told.push(`${paymentId} ${reason}`),
    });
    for (let times = 0; times < 2; times += 1)
      await captureByRegistration({ store: back.store, moves, isStopping: () => false, onNotCaptured });
    expect(await back.store.listMoves(CLIENT, id)).toMatchObject([USED]);
    expect(await ground.ledger(id)).toMatchObject({ moved: { paid: '300' } });
    expect(await back.order(id)).toMatchObject(isAnswered ? SHOWN.capture : { nextAction: 'CAPTURE' });
    // A person is told, by the line of the reason, and where the order goes on to say CAPTURE by that, too.
    expect(told.filter((one) => one.startsWith(id))).toEqual([
      `${id} USED_ID`,
      ...(isAnswered ? [] : [`${id} FAILED`]),
    ]);
  },
);
