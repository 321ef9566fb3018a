import { setTimeout as pause } from 'node:timers/promises';
import { ACKNOWLEDGEMENT, type Address, createPool, type Post, send, type Signer } from '../../support/client.ts';
import { jpy, paymentResult } from '../../support/facts.ts';
import { idOf } from '../../support/receiver.ts';

/** Notifications that are sent again and again until they are acknowledged, as APO does in hours. */
export interface Genuine {
  /** Takes one more to deliver. */
  readonly deliver: (post: Post) => void;
  /** Sends no new ones, and waits for the rest; gives back what each is that was never acknowledged. */
  readonly end: () => Promise<readonly string[]>;
  /** Sends nothing any more, and waits for nothing. */
  readonly abandon: () => void;
  /** The ids of all that were acknowledged. */
  readonly acknowledged: () => ReadonlySet<string>;
}

const LANES = 3;
const PAUSE_MS = 50;
const AGAIN_AFTER_MS = 250;
/** APO's own patience is not known; this is longer than a response may take. */
const GIVES_UP_AFTER_MS = 10_000;
const LAST_CHANCE_MS = 30_000;

export const startGenuine = (address: Address, signer: Signer, name: string): Genuine => {
  const pool = createPool(LANES + 8);
  const acknowledged = new Set<string>();
  const deliveries: Promise<string | null>[] = [];
  const ended = new AbortController();
  let overAt = Infinity;

  const attempt = async (post: Post): Promise<string> => {
    const answer = send(address, post, pool).then(
      ({ status, text }) => (status === 200 ? text : `${status} ${text}`),
      (error: unknown) => String(error),
    );
    return await Promise.race([answer, pause(GIVES_UP_AFTER_MS, 'no answer', { ref: false })]);
  };
  /** Null once it is acknowledged, or what it got last. */
  const untilAcknowledged = async (post: Post): Promise<string | null> => {
    for (;;) {
      const got = await attempt(post);
      if (got === ACKNOWLEDGEMENT) {
        acknowledged.add(idOf(post.body));
        return null;
      }
      if (performance.now() > overAt) return `${idOf(post.body).slice(0, 12)}: ${got.slice(0, 200)}`;
      await pause(AGAIN_AFTER_MS);
    }
  };
  const lane = async (number: number): Promise<string | null> => {
    for (let sent = 0; !ended.signal.aborted; sent += 1) {
      const id = `${name}-${number}-${sent}`;
      const fields = { paymentId: `P-${id}`, paymentRequestId: `R-${id}`, paymentAmount: jpy('100') };
      const missed = await untilAcknowledged(signer.sign(paymentResult('S', fields)));
      if (missed !== null) return missed;
      await pause(PAUSE_MS);
    }
    return null;
  };
  const lanes = Array.from({ length: LANES }, async (_, number) => await lane(number));
  return {
    acknowledged: () => acknowledged,
    abandon: () => {
      ended.abort();
      overAt = 0;
      pool.destroy();
    },
    deliver: (post) => void deliveries.push(untilAcknowledged(post)),
    end: async () => {
      ended.abort();
      overAt = performance.now() + LAST_CHANCE_MS;
      const outcomes = await Promise.all([...lanes, ...deliveries]);
      pool.destroy();
      return outcomes.filter((missed) => missed !== null);
    },
  };
};
