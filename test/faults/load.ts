import { expect } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { ACKNOWLEDGEMENT, createPool, eventually, get, type Post, send, type Signer } from '../support/client.ts';
import { jpy, paymentResult } from '../support/facts.ts';
import { sql } from '../support/postgres.ts';
import { becomesReady, idOf, type ReceiverProcess } from '../support/receiver.ts';

const { FAULT_ROUNDS } = process.env;
/** How often each fault is brought about: once in `npm test`, more often in `npm run test:faults`. */
export const ROUNDS = Number(FAULT_ROUNDS ?? '1');

/** A notification that was sent, and what came of it. */
export interface Attempt {
  readonly id: string;
  /** 0 where the connection broke without an answer. */
  readonly status: number;
  /** On the clock of `performance.now()`. */
  readonly began: number;
  readonly ended: number;
}

/** A load on all replicas; it goes on until it is ended. */
export interface Load {
  readonly attempts: readonly Attempt[];
  readonly end: () => Promise<void>;
}

const CONNECTIONS_A_REPLICA = 4;
const PAUSE_MS = 10;
const PAUSE_AFTER_REFUSAL_MS = 50;

let made = 0;
/** The only notification of a payment of its own. */
export const fresh = (signer: Signer): Post => {
  made += 1;
  return signer.sign(
    paymentResult('S', { paymentId: `P${made}`, paymentRequestId: `R${made}`, paymentAmount: jpy('100') }),
  );
};

export const startLoad = (replicas: readonly ReceiverProcess[], signer: Signer): Load => {
  const attempts: Attempt[] = [];
  const pool = createPool(CONNECTIONS_A_REPLICA);
  const ended = new AbortController();
  const connection = async ({ address }: ReceiverProcess): Promise<void> => {
    while (!ended.signal.aborted) {
      const post = fresh(signer);
      const began = performance.now();
      const status = await send(address, post, pool).then(
        (answer) => answer.status,
        () => 0,
      );
      attempts.push({ id: idOf(post.body), status, began, ended: performance.now() });
      await pause(status === 200 ? PAUSE_MS : PAUSE_AFTER_REFUSAL_MS);
    }
  };
  const connections = replicas.flatMap((replica) =>
    Array.from({ length: CONNECTIONS_A_REPLICA }, async () => await connection(replica)),
  );
  return {
    attempts,
    end: async () => {
      ended.abort();
      await Promise.all(connections);
      pool.destroy();
    },
  };
};

/** Resolves when so many more were answered so; shows that a load is under way, or that it is again. */
export const answered = async ({ attempts }: Load, status: number, count = 20): Promise<void> => {
  const before = attempts.length;
  await eventually(
    `${count} answers with ${status}`,
    () => attempts.slice(before).filter((attempt) => attempt.status === status).length,
    (some) => some >= count,
  );
};

export interface Stage {
  readonly replicas: readonly ReceiverProcess[];
  readonly signer: Signer;
  readonly url: string;
}

/** Brings a fault about under load, and checks what must hold after any of them; gives back what was sent. */
export const underLoad = async (
  { replicas, signer, url }: Stage,
  fault: (load: Load) => Promise<void>,
): Promise<readonly Attempt[]> => {
  const load = startLoad(replicas, signer);
  try {
    await answered(load, 200);
    await fault(load);
    for (const replica of replicas) await becomesReady(replica);
    await answered(load, 200);
  } finally {
    await load.end();
  }
  await expectAllWell({ replicas, signer, url });
  const stored = await storedIn(url);
  expect(load.attempts.filter(({ id, status }) => status === 200 && !stored.has(id))).toEqual([]);
  // Each is acknowledged or told to come again; no connection broke, for no replica did.
  expect(load.attempts.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  return load.attempts;
};

const storedIn = async (url: string): Promise<ReadonlySet<string>> =>
  new Set(
    (await sql<{ id: string }>(url, "select encode(digest, 'hex') as id from notifications")).map(({ id }) => id),
  );

const expectAllWell = async ({ replicas, signer, url }: Stage): Promise<void> => {
  for (const replica of replicas) {
    expect(replica.child.exitCode).toBeNull();
    expect((await get(replica.address, '/healthz')).text).toBe('{"status":"ok"}');
    expect(await replica.post(fresh(signer))).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });
  }
  const [rows] = await sql(
    url,
    `select
    (select count(*) from notifications where outcome <> 'APPLIED') as "notApplied",
    (select count(*) from notifications where payment_id not in (select order_key from orders)) as "withoutOrder"`,
  );
  expect(rows).toEqual({ notApplied: '0', withoutOrder: '0' });
};
