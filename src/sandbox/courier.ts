import { setTimeout as pause } from 'node:timers/promises';
import { signatureHeader } from '../antom/signing.ts';
import type { SigningKey } from './keys.ts';
import { stamp } from './stamp.ts';

/** What APO believes, byte for byte. Written out here: a sender does not ask the receiver what to expect. */
const ACKNOWLEDGEMENT = Buffer.from('{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}');

/** Seconds before each send, after the one before: eight sends in 24 h 22 min. */
export const SENT_AFTER = [0, 120, 600, 600, 3_600, 7_200, 21_600, 54_000] as const;

export interface Notification {
  /** `PAYMENT_RESULT S`. */
  readonly name: string;
  readonly paymentId: string;
  /** The identifiers that it is about, for people. */
  readonly ids: string;
  readonly body: string;
  /** Null where nobody has said where notifications go. */
  readonly url: string | null;
}

export interface Send {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly keyVersion: string;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** Its beginning. */
  readonly answer: string | null;
  readonly problem: string | null;
  readonly acknowledged: boolean;
}

export type DeliveryState = 'WAITING' | 'ACKNOWLEDGED' | 'GIVEN_UP' | 'LOST' | 'NO_URL';

export interface Delivery extends Notification {
  readonly id: number;
  readonly state: DeliveryState;
  readonly sends: readonly Send[];
}

/** How a notification is treated. Seconds, before they are divided. */
export interface Treatment {
  readonly lost?: boolean;
  readonly delay?: number;
  /** Sent once more: at the same time, or after the acknowledgement. */
  readonly duplicated?: 'together' | 'after' | null;
}

export interface Courier {
  /** In the order of the calls, each payment's first sends follow each other; what is delayed is overtaken. */
  readonly deliver: (notification: Notification, treatment: Treatment) => void;
  readonly deliveries: () => readonly Delivery[];
  readonly stop: () => Promise<void>;
}

interface CourierNeeds {
  readonly clientId: string;
  readonly key: () => SigningKey;
  readonly speed: () => number;
  readonly onSent: (delivery: Delivery, send: Send) => void;
}

const AT_ONCE = 32;
const ANSWERS_WITHIN_MS = 10_000;
const SECOND = 1_000;

interface Changing {
  delivery: Delivery;
}

/** What sending needs, and what ends it. */
interface Route extends CourierNeeds {
  readonly signal: AbortSignal;
  readonly slots: Slots;
}

export const createCourier = (needs: CourierNeeds): Courier => {
  const all: Changing[] = [];
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const inTurn = createTurns();
  const route: Route = { ...needs, signal: stopping.signal, slots: createSlots(AT_ONCE) };
  const run = async (one: Changing, url: string, treatment: Treatment): Promise<void> => {
    try {
      await deliverOne(one, { url, treatment, route, inTurn });
    } catch (error) {
      // Stopped in the middle: what is left is not sent.
      if (!stopping.signal.aborted) throw error;
    }
  };
  return {
    deliver: (notification, treatment) => {
      const { url } = notification;
      const state = stateAtFirst(notification, treatment);
      const one: Changing = { delivery: { ...notification, id: all.length + 1, state, sends: [] } };
      all.push(one);
      if (url === null || state !== 'WAITING') return;
      const work = run(one, url, treatment).finally(() => running.delete(work));
      running.add(work);
    },
    deliveries: () => all.map(({ delivery }) => delivery),
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
};

/** Until it is acknowledged, or given up. */
const deliverOne = async (
  one: Changing,
  { url, treatment, route, inTurn }: { readonly url: string; readonly treatment: Treatment } & Means,
): Promise<void> => {
  const { delay = 0, duplicated = null } = treatment;
  const send = async (): Promise<boolean> => await sendOnce(one, url, route);
  const sendFirst = async (): Promise<boolean> =>
    duplicated === 'together' ? (await Promise.all([send(), send()])).some(Boolean) : await send();
  await wait(delay, route);
  let acknowledged = delay === 0 ? await inTurn(one.delivery.paymentId, sendFirst) : await sendFirst();
  for (const seconds of SENT_AFTER.slice(1)) {
    if (acknowledged) break;
    await wait(seconds, route);
    acknowledged = await send();
  }
  if (!acknowledged) one.delivery = { ...one.delivery, state: 'GIVEN_UP' };
  if (duplicated === 'after') await send();
};

interface Means {
  readonly route: Route;
  readonly inTurn: Turns;
}

const wait = async (seconds: number, { speed, signal }: Route): Promise<void> => {
  if (seconds > 0) await pause((seconds * SECOND) / speed(), null, { signal });
};

const sendOnce = async (one: Changing, url: string, route: Route): Promise<boolean> => {
  const send = await route.slots(async () => await post({ url, body: one.delivery.body, route }));
  const { state, sends } = one.delivery;
  one.delivery = { ...one.delivery, state: send.acknowledged ? 'ACKNOWLEDGED' : state, sends: [...sends, send] };
  route.onSent(one.delivery, send);
  return send.acknowledged;
};

type Turns = <T>(of: string, work: () => Promise<T>) => Promise<T>;

/** One after another, for each payment. */
const createTurns = (): Turns => {
  const last = new Map<string, Promise<unknown>>();
  return async (of, work) => {
    const before = last.get(of) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(of, mine);
    try {
      return await mine;
    } finally {
      if (last.get(of) === mine) last.delete(of);
    }
  };
};

const stateAtFirst = ({ url }: Notification, { lost = false }: Treatment): DeliveryState => {
  if (url === null) return 'NO_URL';
  return lost ? 'LOST' : 'WAITING';
};

type Slots = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs so many at once; the others wait for their turn. */
const createSlots = (free: number): Slots => {
  const waiting: (() => void)[] = [];
  let left = free;
  return async (work) => {
    if (left > 0) left -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) left += 1;
      else next();
    }
  };
};

interface Post {
  readonly url: string;
  readonly body: string;
  readonly route: Route;
}

/** Signed anew each time, for the path without its query, as APO's samples are. */
const post = async ({ url, body, route: { clientId, key, signal } }: Post): Promise<Send> => {
  const { key: privateKey, version } = key();
  const now = new Date();
  const bytes = Buffer.from(body);
  const requestTime = stamp(now);
  const signable = { method: 'POST', uri: new URL(url).pathname, clientId, requestTime, body: bytes };
  const sent = { at: now.toISOString(), keyVersion: version };
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)]),
      headers: {
        'content-type': 'application/json; charset=UTF-8',
        'client-id': clientId,
        'request-time': requestTime,
        signature: signatureHeader(signable, privateKey, version),
      },
      body: bytes,
    });
    const answer = await beginningOf(response);
    const acknowledged = response.status === 200 && answer.equals(ACKNOWLEDGEMENT);
    return { ...sent, status: response.status, answer: answer.toString('utf8'), problem: null, acknowledged };
  } catch (error) {
    return { ...sent, status: null, answer: null, problem: reasonOf(error), acknowledged: false };
  }
};

const READ_BYTES = 2_048;

/** The rest of a long answer is not read. */
const beginningOf = async (response: Response): Promise<Buffer> => {
  let read = Buffer.alloc(0);
  if (response.body === null) return read;
  for await (const piece of response.body) {
    read = Buffer.concat([read, piece as Uint8Array]);
    if (read.length >= READ_BYTES) break;
  }
  return read.subarray(0, READ_BYTES);
};

/** `fetch failed` alone says nothing: its cause does. */
const reasonOf = (error: unknown): string => {
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: unknown };
  const own = typeof message === 'string' ? message : String(error);
  return typeof cause === 'object' && cause !== null ? `${own}: ${reasonOf(cause)}` : own;
};
