import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { textOfAsked } from '../../src/order/asked.ts';
import type { AttentionCode } from '../../src/order/attention-code.ts';
import type { Order } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { readStored } from '../../src/handlers/read-stored.ts';
import { digestOf } from '../../src/store/row.ts';
import type { Store } from '../../src/store/store.ts';
import { answerTo, captureResult, paymentResult, receive } from '../support/facts.ts';
import { askedOf, RULES, toReceived } from './core.ts';
import { type ReceivedNotification, tellOrders, toTold } from './oracle/tell-orders.ts';
import { type Arrival, arrivals, permutations, standing, type Step, type World, worldOf, worlds } from './world.ts';

const SETTINGS: readonly { readonly name: string; readonly rules: OrderRules }[] = [
  { name: 'captures always required', rules: RULES },
  {
    name: 'captures by method, in production',
    rules: { ...RULES, captureRequired: 'methods', captureMode: 'MANUAL', production: true },
  },
];

const NONE_UNVERIFIED = { maxBytes: 0 };
/** A failing world is shrunk against the database; stop before jest does. */
const interruptAfterTimeLimit = 120_000;

/** One that is interrupted works on with the store: what follows waits for its end. */
let underWay: Promise<void> = Promise.resolve();
const property = <Value>(values: fc.Arbitrary<Value>, check: (value: Value) => Promise<void>) =>
  fc.asyncProperty(values, async (value) => {
    underWay = check(value);
    await underWay;
  });
/** Small, so that the orders and the rebuild take several pages. */
const PAGE = 7;

/**
 * Law 4 as a property of a store: whatever the order of arrival, the repeats and the batches, the orders are those
 * that the oracle tells of the set, after every single commit; redriving and rebuilding change nothing.
 * `open` gives an empty store with these rules; it is closed here.
 */
export const describeLaw4 = (name: string, open: (rules: OrderRules) => Promise<Store>): void => {
  describe.each(SETTINGS)(`an order is a function of the set (${name}, $name)`, ({ rules }) => {
    let store: Store;
    beforeAll(async () => {
      store = await open(rules);
    });
    afterEach(async () => {
      await Promise.allSettled([underWay]);
    });
    afterAll(() => store.close());

    test('shows after every commit what the set so far tells, in whatever order it arrives', async () => {
      const arriving = worlds({ least: 0, most: 12, registrations: 3 }).chain((world) =>
        fc.tuple(arrivals(world), arrivals(world)),
      );
      await fc.assert(
        property(arriving, async ([one, another]) => {
          const first = await arrive(store, { arrival: one, rules });
          const second = await arrive(store, { arrival: another, rules });
          expect(second).toEqual(first);
        }),
        { numRuns: 4, interruptAfterTimeLimit },
      );
    });

    // Random worlds contradict themselves so much that one contradiction more goes unseen: this one is alone.
    test.each([
      ['paymentRequestId', paymentResult('S'), paymentResult('S', { paymentId: 'P2' })],
      [
        'captureId',
        captureResult('U', { captureId: 'C1', captureRequestId: 'Q1' }),
        captureResult('U', { paymentId: 'P2', captureId: 'C1', captureRequestId: 'Q2' }),
      ],
    ])(
      'finds both orders by the contradiction when a second payment shares the %s of the first',
      async (_, one, another) => {
        const clients = freshClients();
        for (const fields of [one, another]) {
          await take(store, { batch: [{ kind: 'notification', notification: toReceived(fields) }], clients });
        }
        const found = await ordersOf(store, clients, 'CONTRADICTORY_IDENTITY');
        expect(found.map(({ paymentId }) => paymentId)).toEqual(['P1', 'P2']);
        expect(await rebuildAll(store)).toBe(0);
      },
    );

    test('makes the same orders of all permutations', async () => {
      await fc.assert(
        property(worlds({ least: 2, most: 3, registrations: 1 }), async (world) => {
          const [reference, ...others] = permutations(stepsOf(world)).map((steps) => steps.map((step) => [step]));
          const first = await arrive(store, { arrival: reference ?? [], rules });
          for (const arrival of others) expect(await arrive(store, { arrival, rules })).toEqual(first);
        }),
        { numRuns: 3, interruptAfterTimeLimit },
      );
    });

    test('changes nothing when every notification is redriven and every order rebuilt', async () => {
      await fc.assert(
        property(worlds({ least: 0, most: 12, registrations: 2 }).chain(arrivals), async (arrival) => {
          const clients = freshClients();
          for (const batch of arrival) await take(store, { batch, clients });
          const before = await ordersOf(store, clients);
          expect(await rebuildAll(store)).toBe(0);
          await redrive(store, { world: worldOf(arrival), clients });
          expect(await rebuildAll(store)).toBe(0);
          expect(await ordersOf(store, clients)).toEqual(before);
        }),
        { numRuns: 4, interruptAfterTimeLimit },
      );
    });
  });
};

const stepsOf = ({ received, registrations }: World): readonly Step[] => [
  ...received.map((notification) => ({ kind: 'notification', notification }) as const),
  ...standing(registrations).map((registration) => ({ kind: 'registration', registration }) as const),
];

/** One store serves many worlds: each has clients of its own, and orders know nothing of other clients. */
interface Clients {
  readonly toStored: (clientId: string) => string;
  /** Null for a client of another world. */
  readonly fromStored: (clientId: string) => string | null;
}

let lastWorld = 0;

const freshClients = (): Clients => {
  lastWorld += 1;
  const suffix = `.${lastWorld}`;
  return {
    toStored: (clientId) => clientId + suffix,
    fromStored: (clientId) => (clientId.endsWith(suffix) ? clientId.slice(0, -suffix.length) : null),
  };
};

interface Batch {
  readonly batch: readonly Step[];
  readonly clients: Clients;
}

/** A batch as the inbox would commit it: the notifications in one commit, each registration in its own. */
const take = async (store: Store, { batch, clients }: Batch): Promise<void> => {
  const received = batch.flatMap((step) => (step.kind === 'notification' ? [step.notification] : []));
  for (const one of received) {
    const asked = askedOf(one);
    if (asked === null) continue;
    const read = answerTo(asked, one.body, clients.toStored(one.clientId));
    await store.recordInquiry({ read, receivedAt: new Date(0) });
  }
  const notifications = received.filter((one) => askedOf(one) === null);
  await store.record(
    notifications.map(({ clientId, body }) => ({
      kind: 'notification',
      read: receive(body, { clientId: clients.toStored(clientId) }),
      receivedAt: new Date(0),
    })),
    NONE_UNVERIFIED,
  );
  for (const step of batch) {
    if (step.kind === 'registration') {
      const registration = { ...step.registration, clientId: clients.toStored(step.registration.clientId) };
      await store.register(registration, { replace: true, now: new Date() });
    }
  }
};

/**
 * Lets a world arrive, and compares with the oracle after every batch. Returns the orders at the end, which a rebuild
 * leaves alone.
 */
const arrive = async (store: Store, { arrival, rules }: { readonly arrival: Arrival; readonly rules: OrderRules }) => {
  const clients = freshClients();
  for (const [index, batch] of arrival.entries()) {
    await take(store, { batch, clients });
    const { received, registrations } = worldOf(arrival.slice(0, index + 1));
    // Everything was received long ago, so the clock has changed all that it will; registrations are made just now.
    const now = Date.now();
    const told = tellOrders({ received, registrations: standing(registrations), rules, now, registeredAt: now });
    expect((await ordersOf(store, clients)).map(toTold)).toEqual(told);
  }
  expect(await rebuildAll(store)).toBe(0);
  return await ordersOf(store, clients);
};

type ShownOrder = Omit<Order, 'createdAt' | 'updatedAt' | 'revision' | 'replaces'>;

/** The orders of one world, in the oracle's order. They were changed last, so they are listed first. */
const ordersOf = async (
  store: Store,
  clients: Clients,
  attention: AttentionCode | null = null,
): Promise<readonly ShownOrder[]> => {
  const orders: ShownOrder[] = [];
  let cursor: string | null = null;
  for (;;) {
    const { items, next } = await store.listOrders(
      { clientId: null, status: null, nextAction: null, referenceOrderId: null, attention },
      { limit: PAGE, cursor },
    );
    const own = items.flatMap((order) => withoutClock(order, clients));
    orders.push(...own);
    cursor = next;
    if (next === null || own.length < items.length) return orders.sort(byIdentifiers);
  }
};

/** Leaves out all that looks at our clock. */
const withoutClock = (order: Order, { fromStored }: Clients): readonly ShownOrder[] => {
  const { createdAt: _created, updatedAt: _updated, revision: _revision, replaces: _replaces, ...shown } = order;
  const clientId = fromStored(order.clientId);
  return clientId === null ? [] : [{ ...shown, clientId }];
};

const byIdentifiers = (a: ShownOrder, b: ShownOrder): number => {
  const keyOf = ({ clientId, paymentId, paymentRequestId }: ShownOrder) =>
    `${clientId} ${paymentId === null ? `~${paymentRequestId}` : paymentId}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
};

/** Applies every stored notification again, in one call; the answers are the outcomes that the first time had. */
const redrive = async (
  store: Store,
  { world, clients }: { readonly world: World; readonly clients: Clients },
): Promise<void> => {
  const again = world.received.map(async (one: ReceivedNotification) => {
    const [asked, body] = [askedOf(one), Buffer.from(one.body)];
    const id = digestOf({ asked: asked && textOfAsked(asked) }, body);
    const stored = await store.findNotification({ clientId: clients.toStored(one.clientId), id });
    return stored === null ? [] : [{ stored, reading: readStored({ asked, body }) }];
  });
  const reapplications = (await Promise.all(again)).flat();
  expect(reapplications).toHaveLength(world.received.length);
  const outcomes = await store.reapply(reapplications, new Date());
  expect(outcomes).toEqual(reapplications.map(({ reading }) => reading.outcome));
};

/** Rebuilds page by page; returns how many orders changed. */
const rebuildAll = async (store: Store): Promise<number> => {
  let changed = 0;
  let cursor: string | null = null;
  do {
    const step = await store.rebuild({ limit: PAGE, cursor }, new Date());
    changed += step.changed;
    cursor = step.next;
  } while (cursor !== null);
  return changed;
};
