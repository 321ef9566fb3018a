import { setTimeout as pause } from 'node:timers/promises';
import { ACKNOWLEDGEMENT, type Address, createPool, type Post, send, type Signer } from '../support/client.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import { headOf, openRaw } from '../support/raw-http.ts';
import type { ReceiverProcess } from '../support/receiver.ts';

/** What became of the requests of a load. */
export interface Load<T> {
  /** What the work came to. */
  readonly done: T;
  /** Answered with the acknowledgement; each request has one answer. */
  readonly acknowledged: number;
  /** Every other answer, and every request that got none. */
  readonly failures: readonly string[];
}

export interface Rolling {
  readonly replicas: readonly ReceiverProcess[];
  /** Starts the one that takes a replica's place; resolves once it is ready. */
  readonly startAgain: (index: number) => Promise<ReceiverProcess>;
  /** Resolves once the balancer sends requests to it again. */
  readonly isBack: (index: number) => Promise<unknown>;
}

/** All are at work for that long, between one restart and the next. */
const SETTLED_MS = 1_000;

/** One after the other; gives back those that took their places. */
export const restartAll = async ({ replicas, startAgain, isBack }: Rolling): Promise<readonly ReceiverProcess[]> => {
  const restarted: ReceiverProcess[] = [];
  await pause(SETTLED_MS);
  for (const [index, replica] of replicas.entries()) {
    await stopped(replica);
    restarted.push(await startAgain(index));
    await isBack(index);
    await pause(SETTLED_MS);
  }
  return restarted;
};

/** As a deploy stops one: asked to end, it ends well. */
export const stopped = async (replica: ReceiverProcess): Promise<void> => {
  replica.kill('SIGTERM');
  const code = await replica.exited;
  if (code !== 0) throw new Error(`a replica ended with ${code}: ${JSON.stringify(replica.log().at(-1))}`);
};

/** How many notifications each has logged; whole once they have stopped. */
export const receivedBy = (replicas: readonly ReceiverProcess[]): readonly number[] =>
  replicas.map((replica) => replica.log().filter(({ msg }) => msg === 'notification').length);

const LANES = 40;
/** These send half a body, and the rest of it a while later. */
const SLOW_LANES = 10;
const SLOW_MS = 1_500;
const LONGEST_PAUSE_MS = 1_600;

/** A payment and its capture, for each of so many payments. */
export const notificationsOf = (signer: Signer, payments: number): readonly Post[] =>
  Array.from({ length: payments }, (_, index) => {
    const paymentId = `P${index}`;
    return [
      signer.sign(paymentResult('S', { paymentId, paymentRequestId: `R${index}`, paymentAmount: jpy('120') })),
      signer.sign(captureResult('S', { paymentId, captureId: `C${index}`, captureAmount: jpy('120') })),
    ];
  }).flat();

/** Sends each once, and then one after the other again for as long as the work takes, over many connections at once. */
export const loadDuring = async <T>(work: Promise<T>, address: Address, posts: readonly Post[]): Promise<Load<T>> => {
  const failures: string[] = [];
  let acknowledged = 0;
  let sent = 0;
  const ended = new AbortController();
  const pool = createPool(LANES);
  const deliver = async (by: (post: Post) => Promise<string>): Promise<void> => {
    const post = posts[sent % posts.length] as Post;
    sent += 1;
    const outcome = await by(post).catch((error: unknown) => String(error));
    if (outcome === ACKNOWLEDGEMENT) acknowledged += 1;
    else failures.push(outcome);
  };
  const quickly = async (post: Post): Promise<string> => {
    const { status, text } = await send(address, post, pool);
    return status === 200 ? text : `${status} ${text}`;
  };
  const lane = async (by: (post: Post) => Promise<string>): Promise<void> => {
    for (; !ended.signal.aborted || sent < posts.length; await pause(Math.random() * LONGEST_PAUSE_MS))
      await deliver(by);
  };
  const lanes = [
    ...Array.from({ length: LANES }, async () => await lane(quickly)),
    ...Array.from({ length: SLOW_LANES }, async () => await lane(async (post) => await sendSlowly(address, post))),
  ];
  const end = async (): Promise<void> => {
    ended.abort();
    await Promise.all(lanes);
    pool.destroy();
  };
  let done: T;
  try {
    done = await work;
  } finally {
    await end();
  }
  return { done, acknowledged, failures };
};

const sendSlowly = async (address: Address, { method, target, headers, body }: Post): Promise<string> => {
  const connection = await openRaw(address);
  try {
    const lines = [
      'Host: pay.example.com',
      ...headers.map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${body.length}`,
    ];
    const half = body.length / 2;
    await connection.write(
      Buffer.concat([Buffer.from(headOf(`${method} ${target} HTTP/1.1`, lines)), body.subarray(0, half)]),
    );
    await pause(Math.random() * SLOW_MS);
    await connection.write(body.subarray(half));
    const answer = await connection.answer();
    return answer.status === 200 ? answer.body : `${answer.status} ${answer.body}`;
  } finally {
    connection.destroy();
  }
};
