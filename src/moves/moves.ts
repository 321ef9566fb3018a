import type { AntomClient, AntomClients } from '../antom/client.ts';
import { finalIn, isUnderWayIn, type MoveAsked } from '../order/move.ts';
import type { Order } from '../order/order.ts';
import type { Inquired } from '../reconcile/inquire.ts';
import { orderOf } from '../reconcile/order-of.ts';
import type { BeginMoveResult, Move, MoveOutcome, OrderName, Store } from '../store/store.ts';
import { outcomeOf, send, waitingFor } from './attempt.ts';
import { look, type Looked, lookAtPayment } from './look.ts';

export type MakeMoveResult =
  | BeginMoveResult
  /** No private key of this client is configured: nothing was written down. */
  | { readonly kind: 'no key' };

/** Captures, cancels and refunds: written down first, then sent, then the answer is written down. */
export interface Moves {
  /** Resolves once APO has answered, or 15 s are over. */
  readonly make: (asked: MoveAsked & OrderName) => Promise<MakeMoveResult>;
  /** Goes on with one that is under way: asks what became of it, and sends the same again where nothing did. */
  readonly takeUp: (move: Move) => Promise<TakenUp>;
  /** Puts one off without a call: APO does not answer at present. */
  readonly putOff: (move: Move) => Promise<void>;
}

export interface TakenUp {
  readonly move: Move;
  /** Null where what was stored already said what became of it. */
  readonly inquired: Inquired | null;
}

export interface MovesOptions {
  readonly store: Store;
  readonly clients: Pick<AntomClients, 'get'>;
  /** Aborted when the service stops: what is under way is then unknown, and taken up after the next start. */
  readonly signal: AbortSignal;
  /** Told of each answer. */
  readonly onKept?: (move: Move) => void;
}

/** Longer than a move and the inquiry after it may take, so that two never send it at once without need. */
const TAKEN_UP_AFTER_MS = 45_000;

export const createMoves = ({ store, clients, signal, onKept = () => {} }: MovesOptions): Moves => {
  const keep = async (move: Move, outcome: MoveOutcome): Promise<Move> => {
    const client = clients.get(move.clientId);
    // What was sent under its id, and maybe more, is not known here: the order shows it before more can be asked for.
    if (outcome.reason === 'USED_ID' && client !== undefined) await lookAtPayment({ store, client, signal }, move);
    const kept = await store.keepMove(move, outcome, new Date());
    onKept(kept);
    return kept;
  };
  const attempt = async (
    move: Move,
    { client, looked }: { readonly client: AntomClient; readonly looked: Looked | null },
  ): Promise<Move> => {
    const result = await send(client, move, signal);
    const circumstances = { now: Date.now(), isFirst: looked === null, isUnknownThere: knowsNothing(looked) };
    const outcome = outcomeOf(move, result, circumstances);
    const kept = await keep(move, outcome);
    // The order says so from then on. When it was, and what else APO shows of it, comes with the inquiry.
    if (kept.status === 'SUCCEEDED') await look({ store, client, signal }, kept);
    return kept;
  };
  return {
    make: async (asked) => {
      const client = clients.get(asked.clientId);
      if (client === undefined) return { kind: 'no key' };
      const now = new Date();
      const begun = await store.beginMove({ ...asked, nextAttemptAt: now.getTime() + TAKEN_UP_AFTER_MS }, now);
      return begun.kind === 'begun' ? { ...begun, move: await attempt(begun.move, { client, looked: null }) } : begun;
    },
    takeUp: async (move) => {
      const told = toldBy(await orderOf(store, move), move);
      if (told !== null) return { move: await keep(move, told), inquired: null };
      const client = clients.get(move.clientId);
      if (client === undefined) return { move: await keep(move, waiting(move, 'NO_KEY')), inquired: null };
      const looked = await look({ store, client, signal }, move);
      const { inquired, order } = looked;
      const now = toldBy(order, move);
      if (now !== null) return { move: await keep(move, now), inquired };
      const pause = whyWait(move, looked);
      if (pause !== null) return { move: await keep(move, waiting(move, pause)), inquired };
      return { move: await attempt(move, { client, looked }), inquired };
    },
    putOff: async (move) => void (await keep(move, waiting(move, 'NO_ANSWER'))),
  };
};

/** APO has said what became of it, in a notification or an answer. */
const toldBy = (order: Order | null, move: Move): MoveOutcome | null => {
  const final = order === null ? null : finalIn(order, move);
  if (final === null) return null;
  const { status, id, code } = final;
  const reason = status === 'FAILED' ? 'TOLD' : null;
  return { status, resultCode: code, reason, id, sent: false, nextAttemptAt: Date.now() };
};

const waiting = (move: Move, reason: string): MoveOutcome => waitingFor(move, reason, { now: Date.now() });

/** What APO works on is not sent again; of a refund that it has taken, it has to be sure that it is none. */
const whyWait = (move: Move, { order, inquired }: Looked): string | null => {
  if (inquired.trouble === 'outage' || inquired.outcome === 'STOPPED') return 'NO_ANSWER';
  const isThere = order !== null && isUnderWayIn(order, move);
  const isTaken = move.kind === 'refund' && move.resultCode === 'REFUND_IN_PROCESS' && !inquired.isNotFound;
  return isThere || isTaken ? 'UNDECIDED' : null;
};

const knowsNothing = (looked: Looked | null): boolean =>
  looked !== null && (looked.inquired.outcome === 'OK' || looked.inquired.isNotFound);
