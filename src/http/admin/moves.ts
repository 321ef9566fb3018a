import { isIdentifier } from '../../order/identifier.ts';
import type { MoveAsked } from '../../order/move.ts';
import type { MakeMoveResult, Moves } from '../../moves/moves.ts';
import type { Move, Store } from '../../store/store.ts';
import { type Answer, created, ok } from './answer.ts';
import { type ClientNeeds, configuredClient } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { ambiguous, NO_ORDER, ORDER_ID } from './orders.ts';
import { problem, type Refusal } from './problem.ts';
import { nothing } from './query.ts';
import { CANCEL, cancelToSend, captureAsked, captureToSend, refundAsked, refundToSend } from './said-moves.ts';
import { move } from './shapes/move.ts';

/* Captures, cancels and refunds that we send to APO. */

export interface MoveNeeds extends ClientNeeds {
  /** Null without a private key. */
  readonly moves: (store: Store) => Moves | null;
}

const RESPONSES = {
  200: { means: 'It was written down before: what has become of it by now.', body: move },
  201: { means: 'It was written down and sent: what has become of it.', body: move },
} as const;
const PROBLEMS = [
  'CLIENT_REQUIRED',
  'UNKNOWN_CLIENT',
  'NOT_FOUND',
  'AMBIGUOUS_ORDER',
  'MOVE_CONFLICT',
  'MOVE_REFUSED',
  'NO_PRIVATE_KEY',
] as const;
const OF_A_MOVE = {
  method: 'post',
  tag: 'Orders',
  id: ORDER_ID,
  query: nothing,
  responses: RESPONSES,
  problems: PROBLEMS,
} as const;
const WHAT_COMES_OF_IT =
  'It is written down before it is sent, and sent again with the same id until APO says what became of it: PROCESSING is no failure. The same request once more is the same one.';

export const captureOrder = endpoint({
  ...OF_A_MOVE,
  path: '/api/orders/:id/captures',
  name: 'captureOrder',
  summary: 'Capture an authorized payment',
  description: `All that is left where no amount is given. ${WHAT_COMES_OF_IT}`,
  body: captureToSend,
  answer:
    (needs: MoveNeeds) =>
    async ({ id, said }) =>
      await make(needs, { id, named: said.clientId }, captureAsked(said)),
});

export const cancelOrder = endpoint({
  ...OF_A_MOVE,
  path: '/api/orders/:id/cancel',
  name: 'cancelOrder',
  summary: 'Cancel a payment of which nothing is captured',
  description: WHAT_COMES_OF_IT,
  body: cancelToSend,
  answer:
    (needs: MoveNeeds) =>
    async ({ id, said }) =>
      await make(needs, { id, named: said.clientId }, CANCEL),
});

export const refundOrder = endpoint({
  ...OF_A_MOVE,
  path: '/api/orders/:id/refunds',
  name: 'refundOrder',
  summary: 'Refund what has been captured',
  description: `Its notification joins the payment without a registration. ${WHAT_COMES_OF_IT}`,
  body: refundToSend,
  answer:
    (needs: MoveNeeds) =>
    async ({ id, said }) =>
      await make(needs, { id, named: said.clientId }, refundAsked(said)),
});

type Made = Answer<200 | 201, Move> | Refusal<(typeof PROBLEMS)[number]>;

const make = async (
  { store, clientIds, moves }: MoveNeeds,
  { id, named }: { readonly id: string; readonly named: string | null },
  asked: MoveAsked,
): Promise<Made> => {
  const clientId = configuredClient(named, clientIds);
  if (typeof clientId !== 'string') return clientId;
  if (!isIdentifier(id)) return NO_ORDER;
  const ours = moves(store());
  return ours === null ? noKey(clientId) : answerTo(await ours.make({ ...asked, clientId, id }), clientId);
};

const answerTo = (result: MakeMoveResult, clientId: string): Made => {
  switch (result.kind) {
    case 'begun':
      return created(result.move);
    case 'same':
      return ok(result.move);
    case 'conflict':
      return problem(
        'MOVE_CONFLICT',
        'Something else was sent under this request id, and APO takes each id once. Repeat exactly that, or name another id.',
        { move: result.move },
      );
    case 'refused':
      return problem('MOVE_REFUSED', result.refused.detail, { reason: result.refused.reason, order: result.order });
    case 'unknown':
      return NO_ORDER;
    case 'ambiguous':
      return ambiguous(result.orders);
    case 'no key':
      return noKey(clientId);
  }
};

const noKey = (clientId: string): Refusal<'NO_PRIVATE_KEY'> =>
  problem(
    'NO_PRIVATE_KEY',
    `There is no private key of ${clientId}, so nothing can be sent. Set ANTOM_PRIVATE_KEY and ANTOM_REGION, or privateKey in ANTOM_CLIENTS_FILE.`,
  );
