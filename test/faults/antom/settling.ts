import { setTimeout as pause } from 'node:timers/promises';
import { command } from '../aftermath.ts';
import { endReplica, environmentIn, startReplica, type World } from '../shop/world.ts';
import { type Doings, goOn, type Left } from './acting.ts';
import type { MoveRow } from './verdict.ts';

/** Those whose ends are not known are looked for again; each time a service that starts takes all of them up. */
const RESTARTS = 40;
const LOOKS = 20;
const LOOKED_EVERY_MS = 100;

export const readMoves = async ({ store }: World): Promise<readonly MoveRow[]> => {
  const rows = await store.query('select kind, request_id, payment_id, content, status, result_code from moves');
  return rows.map((row) => ({
    kind: row['kind'] as MoveRow['kind'],
    requestId: String(row['request_id']),
    paymentId: String(row['payment_id']),
    amount: (JSON.parse(String(row['content'])) as Pick<MoveRow, 'amount'>).amount,
    status: String(row['status']),
    resultCode: row['result_code'] as string | null,
  }));
};

const underWay = async ({ store }: World): Promise<number> => {
  const [row] = await store.query("select count(*) as waiting from moves where status = 'PROCESSING'");
  return Number(row?.['waiting']);
};

/** Waits until the end of every move is known. */
const endMoves = async (world: World): Promise<void> => {
  for (let restarts = 0; ; restarts += 1) {
    let left = await underWay(world);
    for (let looks = 0; left > 0 && looks < LOOKS;) {
      await pause(LOOKED_EVERY_MS);
      const now = await underWay(world);
      looks = now === left ? looks + 1 : 0;
      left = now;
    }
    if (left === 0) return;
    if (restarts === RESTARTS) {
      const waiting = (await readMoves(world)).filter(({ status }) => status === 'PROCESSING');
      throw new Error(`${left} moves do not end, among them ${JSON.stringify(waiting.slice(0, 3))}`);
    }
    const [replica] = world.replicas;
    if (replica !== undefined) await endReplica(world, replica, 'SIGTERM');
    await startReplica(world);
  }
};

interface Reply {
  readonly paymentId?: string;
  readonly paymentRequestId?: string;
  readonly outcome: string | null;
}

/** What `paynotify reconcile` asked about, and whether APO has answered. */
const runReconcile = async (world: World, ...values: readonly string[]): Promise<ReadonlyMap<string, boolean>> => {
  const program = command(environmentIn(world), 'reconcile', ...values, '--json');
  const code = await program.exited;
  if (code !== 0 && code !== 1) throw new Error(`reconcile ended with ${code}: ${program.output().stderr}`);
  const { inquiries } = JSON.parse(program.output().stdout) as { readonly inquiries: readonly Reply[] };
  const named = inquiries.map(({ paymentId, paymentRequestId, outcome }): readonly [string, boolean] => {
    const id = paymentId ?? paymentRequestId;
    if (id === undefined) throw new Error('a refund has no payment, though we have made it');
    return [id, outcome === 'OK' || outcome === 'FAILED'];
  });
  return new Map(named);
};

interface Asking {
  readonly since: Date;
  /** How often at most. */
  readonly times: number;
}

/** A few are asked about one by one. */
const FEW = 3;

/** Asks about all again and again, until APO has answered about each; gives those about which it has not. */
export const reconcile = async (world: World, { since, times }: Asking): Promise<readonly string[]> => {
  const all = ['--since', since.toISOString()];
  const first = await runReconcile(world, ...all);
  const answered = new Set<string>();
  let asked = first;
  let left = [...first.keys()];
  for (let time = 1; ; time += 1) {
    for (const [id, isAnswered] of asked) if (isAnswered) answered.add(id);
    left = [...left, ...asked.keys()].filter((id) => !answered.has(id));
    if (left.length === 0 || time === times) return left;
    asked = await runReconcile(world, ...(new Set(left).size <= FEW ? left.slice(0, 1) : all));
  }
};

const TURNS = 10;
const RECONCILED = 30;

/** Goes on with what could not be done until nothing more can be, and everybody knows what became of everything. */
export const settle = async (
  doings: Doings,
  { left, since }: { readonly left: readonly Left[]; readonly since: Date },
): Promise<readonly Left[]> => {
  const { world, apo, made } = doings;
  let waiting = left;
  const goOnWithAll = async (): Promise<boolean> => {
    const before = made.size;
    const again = await Promise.all(waiting.map(async (one) => await goOn(doings, one, 1)));
    waiting = again.filter((one) => one !== null);
    return made.size > before;
  };
  for (let turn = 1; turn <= TURNS; turn += 1) {
    await endMoves(world);
    await apo.quiet();
    if (waiting.length > 0) {
      await reconcile(world, { since, times: 1 });
      if (await goOnWithAll()) continue;
    }
    const unanswered = await reconcile(world, { since, times: RECONCILED });
    if (unanswered.length > 0) throw new Error(`no answer about ${unanswered.join(', ')}`);
    if (!(await goOnWithAll())) return waiting;
  }
  throw new Error(`after ${TURNS} turns there is still more to do: ${JSON.stringify(waiting.slice(0, 3))}`);
};
