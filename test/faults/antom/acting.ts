import { setTimeout as pause } from 'node:timers/promises';
import { send } from '../../support/client.ts';
import type { Fields } from '../../support/facts.ts';
import type { World } from '../shop/world.ts';
import type { Apo } from './apo.ts';
import { PRICE, type Story, type Wish } from './stories.ts';

/** What the shop has done so far. */
export interface Doings {
  readonly world: World;
  readonly apo: Apo;
  /** Moves that paynotify has answered for: none of them may be forgotten. */
  readonly made: Map<string, Move>;
  readonly breaches: string[];
}

/** A capture, cancel or refund as paynotify answers. */
export interface Move {
  readonly kind: 'capture' | 'cancel' | 'refund';
  readonly requestId: string;
  readonly paymentId: string;
  readonly amount: { readonly value: string } | null;
}
export const nameOf = ({ kind, requestId }: Pick<Move, 'kind' | 'requestId'>): string => `${kind} ${requestId}`;

/** What is left of a story: it could not be done yet, or not at all. */
export interface Left {
  readonly story: Story;
  readonly groups: Story['groups'];
  /** Why. */
  readonly reason: string;
}

const AGAIN_AFTER_MS = 50;
const OFTEN = 2_000;

/** The example shop's checkout: it registers the price at paynotify. */
const checkOut = async ({ world }: Doings, { request, captureMode, method }: Story): Promise<void> => {
  const isCard = method === 'CARD';
  const body = {
    paymentRequestId: request,
    referenceOrderId: `order-${request}`,
    amount: { currency: 'JPY', value: PRICE },
    ...(isCard ? { captureMode } : {}),
  };
  for (let times = 0; ; times += 1) {
    const { shop } = world;
    const status = shop === null ? 0 : await post(shop.address, '/checkout', body).then((one) => one.status);
    if (status === 200 || status === 201) return;
    if (times > OFTEN) throw new Error(`${request} cannot be registered: ${status}`);
    await pause(AGAIN_AFTER_MS);
  }
};

const post = async (to: Parameters<typeof send>[0], target: string, body: Fields) =>
  await send(to, {
    method: 'POST',
    target,
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from(JSON.stringify(body)),
  }).catch(() => ({ status: 0, text: '' }));

/** Buys and pays, and then does what the shop wants, as far as that can be done soon. */
export const live = async (doings: Doings, story: Story): Promise<Left | null> => {
  const { request, method, captureMode, registered, groups } = story;
  if (registered === 'before') await checkOut(doings, story);
  await doings.apo.pay({
    paymentRequestId: request,
    amount: { currency: 'JPY', value: PRICE },
    as: method,
    ...(method === 'CARD' ? { captureMode } : {}),
  });
  const [left] = await Promise.all([
    goOn(doings, { story, groups, reason: '' }, SOON),
    registered === 'after' ? checkOut(doings, story) : null,
  ]);
  return left;
};

/** Tries of what cannot be done yet. */
const SOON = 8;
const NOT_YET_AGAIN_AFTER_MS = 100;

/** Null once all of it was done or refused for good. */
export const goOn = async (doings: Doings, { story, groups }: Left, tries: number): Promise<Left | null> => {
  for (const [index, group] of groups.entries()) {
    const left = await Promise.all(group.map(async (wish) => await want(doings, { story, wish, tries })));
    const reason = left.find((one) => one !== null);
    if (reason === undefined || reason === null) continue;
    const again = group.filter((_, at) => left[at] !== null);
    return { story, groups: [again, ...groups.slice(index + 1)], reason };
  }
  return null;
};

interface Wanting {
  readonly story: Story;
  readonly wish: Wish;
  readonly tries: number;
}

/** Null where it was made or refused for good, else why it cannot be made yet. */
const want = async (doings: Doings, { story, wish, tries }: Wanting): Promise<string | null> => {
  await pause(doings.world.random.below(50));
  for (let count = 1; ; count += 1) {
    const reason = await wantOnce(doings, story, wish);
    if (reason === null || count >= tries) return reason;
    await pause(NOT_YET_AGAIN_AFTER_MS);
  }
};

const NOT_YET: ReadonlySet<unknown> = new Set(['NO_PAYMENT', 'NOT_AUTHORIZED', 'NOT_CAPTURED']);

const wantOnce = async (doings: Doings, { request }: Story, wish: Wish): Promise<string | null> => {
  const { status, json } = await insist(doings, `/api/orders/${request}/${wish.kind}`, wish.body);
  if (status === 200 || status === 201) {
    const move = json as unknown as Move;
    doings.made.set(nameOf(move), move);
    return null;
  }
  if (status === 404) return 'NOT_FOUND';
  if (status === 409 && typeof json['reason'] === 'string') return NOT_YET.has(json['reason']) ? json['reason'] : null;
  doings.breaches.push(`${request} ${JSON.stringify(wish)}: ${status} ${JSON.stringify(json)}`);
  return null;
};

/** Whoever gets no answer asks again. */
const insist = async (
  { world }: Doings,
  target: string,
  body: Fields,
): Promise<{ readonly status: number; readonly json: Fields }> => {
  for (let times = 0; ; times += 1) {
    const { replicas, random } = world;
    const { status, text } =
      replicas.size === 0 ? { status: 0, text: '' } : await post(random.pick([...replicas]).admin, target, body);
    if (status !== 0 && status !== 503) return { status, json: JSON.parse(text) as Fields };
    if (times > OFTEN) throw new Error(`${target} is never answered: ${status} ${text}`);
    await pause(AGAIN_AFTER_MS);
  }
};
