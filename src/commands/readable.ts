import type { AmountText } from '../order/amount.ts';
import type { Asked } from '../order/asked.ts';
import { isBlocking } from '../order/attention.ts';
import type { Attention } from '../order/attention-code.ts';
import type { MovementStatus } from '../order/movement.ts';
import type { NextAction } from '../order/next-action.ts';
import type { Outcome } from '../order/reading.ts';
import { show } from '../order/show.ts';
import type { OrderStatus } from '../order/status.ts';
import type { Colour } from './shell.ts';
import type { Cell } from './table.ts';

const NOTHING: Cell = { text: '–', colour: 'dim' };

export const textCell = (text: string | null | undefined, colour?: Colour): Cell =>
  text === null || text === undefined || text === '' ? NOTHING : { text, colour };

/** `2025-11-22T10:45:03.123Z` as `2025-11-22 10:45:03`, the same zone: UTC. */
export const utc = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

/** As everywhere at APO, the value counts the currency's smallest unit. */
export const amountCell = (amount: AmountText | null): Cell => (amount === null ? NOTHING : { text: show(amount) });

const STATUS_COLOURS: Readonly<Record<OrderStatus, Colour>> = {
  CAPTURED: 'green',
  PARTIALLY_CAPTURED: 'cyan',
  CANCELLED: 'red',
  AUTHORIZED: 'cyan',
  FAILED: 'red',
  PROCESSING: 'yellow',
  PENDING: 'yellow',
};
export const statusCell = (status: OrderStatus): Cell => ({ text: status, colour: STATUS_COLOURS[status] });

export const fulfillableCell = (fulfillable: boolean): Cell =>
  fulfillable ? { text: 'yes', colour: 'green' } : { text: 'no', colour: 'dim' };

export const MOVEMENT_COLOURS: Readonly<Record<MovementStatus, Colour>> = {
  SUCCEEDED: 'green',
  FAILED: 'red',
  PROCESSING: 'yellow',
};

/** Red where a person has to act, yellow where the shop has to. */
const ACTION_COLOURS: Readonly<Record<NextAction, Colour | undefined>> = {
  REVIEW: 'red',
  FULFIL: 'green',
  WAIT: undefined,
  INQUIRE: 'yellow',
  NEW_PAYMENT_REQUEST: 'yellow',
  RETRY_CAPTURE: 'yellow',
  CONTACT_SUPPORT: 'red',
  CAPTURE: 'yellow',
  NONE: 'dim',
};
export const nextActionCell = (action: NextAction): Cell => ({ text: action, colour: ACTION_COLOURS[action] });

/** The codes; what a person has settled in parentheses. */
export const attentionText = (attention: readonly Attention[]): string =>
  attention.map(({ code, settled }) => (settled ? `(${code})` : code)).join(' ');

export const attentionCell = (attention: readonly Attention[]): Cell =>
  textCell(
    attentionText(attention),
    attention.some(({ code, settled }) => isBlocking(code) && !settled) ? 'red' : 'yellow',
  );

const OUTCOME_COLOURS: Readonly<Record<Outcome, Colour>> = {
  APPLIED: 'green',
  UNHANDLED: 'dim',
  MALFORMED: 'yellow',
  FAILED: 'red',
};
export const outcomeCell = (outcome: Outcome): Cell => ({ text: outcome, colour: OUTCOME_COLOURS[outcome] });

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `inquiryPayment paymentId P1` */
export const askedText = ({ operation, ...ids }: Asked): string => [operation, ...Object.entries(ids).flat()].join(' ');
