import type { NextAction } from '../../src/order/next-action.ts';
import type { DerivedOrder } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { createAcquirer } from './acquirer.ts';
import type { Around } from './around.ts';
import { Broken } from './broken.ts';
import { type Clock, createClock, DAY, MINUTE, SECOND } from './clock.ts';
import { createFacts, type Derive } from './facts.ts';
import { createMisfortune } from './misfortune.ts';
import { createHabits, createOffice, type Office, raisedTo, type Sale } from './office.ts';
import { held, type Payment } from './payment.ts';
import { createPerson } from './person.ts';
import { createPost, type Weather } from './post.ts';
import { createRandom, type Random } from './random.ts';
import { createShop } from './shop.ts';

/* One shop order from its first checkout until nobody has anything left to do, weeks later. */

export interface Played {
  readonly isShipped: boolean;
  /** How often somebody had to look: REVIEW, INQUIRE and CONTACT_SUPPORT. */
  readonly looks: number;
  readonly derivations: number;
  /** Every status, action and code of attention that was seen. */
  readonly seen: ReadonlySet<string>;
}

/** What went wrong, and how it came to that. */
export interface Failed {
  readonly seed: number;
  readonly problem: string;
  readonly story: readonly string[];
}

const START = Date.UTC(2026, 0, 5);
const RESTLESS = 120;
const FINAL: ReadonlySet<NextAction> = new Set<NextAction>(['FULFIL', 'NONE', 'WAIT']);
const PEOPLE: ReadonlySet<NextAction> = new Set<NextAction>(['REVIEW', 'INQUIRE', 'CONTACT_SUPPORT']);

const weatherIn = (random: Random): Weather & { readonly contradictory: number } =>
  random.chance(0.3)
    ? { lost: 0, late: 0, repeated: 0, copied: 0, unreadable: 0, contradictory: 0 }
    : { lost: 0.04, late: 0.25, repeated: 0.2, copied: 0.05, unreadable: 0.015, contradictory: 0.03 };

const rulesIn = (random: Random): OrderRules => ({
  captureRequired: random.chance(0.85) ? 'methods' : 'always',
  noCaptureMethods: [],
  captureMode: random.chance(0.5) ? 'AUTOMATIC' : 'MANUAL',
  requireRegistration: random.chance(0.2),
  production: true,
});

const saleIn = (random: Random): Sale => ({
  referenceOrderId: 'parcel-1',
  isPlayMoney: random.chance(0.03),
  price: random.between(30, 900),
  readyAt: START + (random.chance(0.7) ? 0 : random.between(1, 9 * 24 * 60) * MINUTE),
  shippedFor: null,
  agreed: 0,
  chosen: null,
  raise: null,
  requests: [],
  hasBuyerGone: false,
  decided: new Set(),
});

/** Plays one episode; throws Broken where something happens that must not. */
const play = (seed: number, derive: Derive, say: (line: string) => void): Played => {
  const random = createRandom(seed);
  const clock = createClock(START);
  const rules = rulesIn(random);
  const sale = saleIn(random);
  const weather = weatherIn(random);
  const tell = (line: string): void => {
    say(`${sinceStart(clock)}  ${line}`);
  };
  let derivations = 0;
  const facts = createFacts({
    clientId: sale.isPlayMoney ? 'SANDBOX_shop' : 'shop',
    rules,
    derive: (...evidence) => {
      derivations += 1;
      return derive(...evidence);
    },
    now: clock.now,
    onChange: () => {
      feed();
    },
  });
  const around: Around = {
    random,
    clock,
    facts,
    tell,
    contradictory: weather.contradictory,
    post: createPost(weather, { random, clock, facts, tell }),
  };
  const acquirer = createAcquirer(around);
  const office = createOffice(around, { rules, sale, acquirer, live: createMisfortune(around, acquirer) });
  const person = createPerson(around, { office, acquirer });
  const { feed, looks, seen } = createFeed(around, createShop(around, { office, acquirer, person }), sale);
  tell(
    `${JSON.stringify(rules)}, ${sale.isPlayMoney ? 'play money, ' : ''}price ${sale.price}, ready ${sinceStart({ now: () => sale.readyAt })}`,
  );
  office.sell();
  createHabits(around, { office, acquirer })();
  clock.run();
  checkEnd(around, office);
  for (const payment of acquirer.payments()) checkMoney(around, office, payment.paymentId);
  checkBuyer(around, office, acquirer.payments());
  return { isShipped: sale.shippedFor !== null, looks: looks(), derivations, seen };
};

const sinceStart = ({ now }: Pick<Clock, 'now'>): string => {
  const passed = now() - START;
  return `day ${String(Math.floor(passed / DAY)).padStart(2)} ${new Date(START + (passed % DAY)).toISOString().slice(11, 19)}`;
};

/** The feed of orders: every change of an order, by a fact or by the clock, brings the shop to it. */
const createFeed = (
  { random, clock, facts, tell }: Around,
  act: (asked: { key: string; order: DerivedOrder }) => void,
  { readyAt }: Sale,
) => {
  const planned = new Set<string>();
  const dueAt = new Map<string, number>();
  const visits = new Map<string, number>();
  const shown = new Map<string, string>();
  const seen = new Set<string>();
  let looks = 0;
  const plan = (key: string, delay: number): void => {
    const name = `${key} ${delay >= DAY ? 'tomorrow' : 'soon'}`;
    if (planned.has(name)) return;
    planned.add(name);
    clock.after(delay, () => {
      planned.delete(name);
      visit(key);
    });
  };
  const look = (key: string): DerivedOrder => {
    const { order, dueAt: due } = facts.derive(key);
    for (const one of [order.status, order.nextAction, ...order.attention.map(({ code }) => code)]) seen.add(one);
    const line = [
      key,
      order.status,
      order.nextAction,
      ...order.attention.map(({ code, settled }) => (settled ? `(${code})` : code)),
    ].join(' ');
    if (shown.get(key) !== line) tell(`  → ${line}`);
    shown.set(key, line);
    if (due !== null && dueAt.get(key) !== due) {
      dueAt.set(key, due);
      // The sweep comes once a minute.
      clock.after(due - clock.now() + random.between(0, 60) * SECOND, () => {
        dueAt.delete(key);
        visit(key);
      });
    }
    return order;
  };
  clock.after(Math.max(0, readyAt - clock.now()), () => {
    for (const key of facts.keys()) visit(key);
  });
  const visit = (key: string): void => {
    // A payment's order has taken its place.
    if (!facts.keys().includes(key)) return;
    const order = look(key);
    const count = (visits.get(key) ?? 0) + 1;
    visits.set(key, count);
    if (count > RESTLESS) throw new Broken(`${key} never comes to rest: ${order.nextAction}`);
    if (PEOPLE.has(order.nextAction)) looks += 1;
    act({ key, order });
    if (!FINAL.has(order.nextAction)) plan(key, DAY);
  };
  const feed = (): void => {
    const orders = facts.keys().map((key) => [key, look(key)] as const);
    const fulfilled = orders.filter(([, { nextAction }]) => nextAction === 'FULFIL').map(([key]) => key);
    if (fulfilled.length > 1) throw new Broken(`one shop order, to be fulfilled for ${fulfilled.join(' and ')}`);
    for (const [key, { nextAction }] of orders)
      if (nextAction !== 'WAIT' && nextAction !== 'NONE') plan(key, random.between(0, 300) * SECOND);
  };
  return { feed, seen, looks: () => looks };
};

/** Nobody has anything left to do. Then every order must say so: shipped, or nothing. */
const checkEnd = ({ facts, clock }: Around, { sale }: Office): void => {
  for (const key of facts.keys()) {
    const { nextAction } = facts.derive(key).order;
    const later = facts.derive(key, clock.now() + 60 * DAY).order.nextAction;
    if (later !== nextAction) throw new Broken(`${key}: ${nextAction} became ${later}, and no sweep was due`);
    if (nextAction === 'FULFIL' ? sale.shippedFor === null : nextAction !== 'NONE')
      throw new Broken(`${key} ends as ${nextAction}, and nobody does anything`);
  }
};

/**
 * Money that the shop keeps without a parcel for it lies there for ever: nobody is going to ask. It may, where a
 * notification never came, for then nobody could know.
 */
const checkMoney = ({ post }: Around, { sale, paymentOf, asked }: Office, paymentId: string): void => {
  const payment = paymentOf(paymentId);
  if (payment === undefined || sale.isPlayMoney) return;
  if (post.lettersOf(paymentId).some(({ state }) => state !== 'ARRIVED')) return;
  const earned =
    sale.shippedFor === paymentId ? Math.max(sale.price, sale.agreed, raisedTo(sale, payment), asked(payment)) : 0;
  if (held(payment) > earned)
    throw new Broken(`${paymentId}: ${held(payment)} kept, ${earned} earned, and nobody is asked`);
};

/**
 * A buyer who wants the parcel gets it, unless someone has decided otherwise: he has gone, the shop has cancelled, a
 * person has closed it, or the money went back.
 */
const checkBuyer = ({ facts }: Around, { sale, isRegisteredCancelled }: Office, payments: readonly Payment[]): void => {
  const isOver =
    // Nobody was told of anything: not registered, and every notification was lost.
    facts.keys().length === 0 ||
    sale.shippedFor !== null ||
    sale.isPlayMoney ||
    sale.hasBuyerGone ||
    sale.decided.size > 0 ||
    sale.requests.some(isRegisteredCancelled) ||
    payments.some(({ returns }) => returns.length > 0);
  if (!isOver) throw new Broken('the buyer has no parcel, and nobody asks him to pay');
};

/** Plays the episode of a seed by these rules. */
export const playEpisode = (seed: number, derive: Derive): Played | Failed => {
  const story: string[] = [];
  try {
    return play(seed, derive, (line) => story.push(line));
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { seed, problem: error.message, story };
  }
};
