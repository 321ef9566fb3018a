import type { AmountText } from '../order/amount.ts';
import { isBlocking } from '../order/attention.ts';
import type { Attention, AttentionCode } from '../order/attention-code.ts';
import { type Capture, generalAdvice } from '../order/capture.ts';
import type { Dispute, DisputeState } from '../order/dispute.ts';
import type { Refund } from '../order/refund.ts';
import type { Order, ShownReview } from '../order/order.ts';
import type { Result } from '../order/statement.ts';
import { legibleTime } from '../order/time.ts';
import {
  amountCell,
  attentionCell,
  MOVEMENT_COLOURS,
  attentionText,
  fulfillableCell,
  nextActionCell,
  statusCell,
  textCell,
  utc,
} from './readable.ts';
import type { Colour, Paint } from './shell.ts';
import { type Pair, pairs, printable, type Row, table } from './table.ts';

const HEADER = [
  'PAYMENT ID',
  'PAYMENT REQUEST ID',
  'REFERENCE ORDER ID',
  'STATUS',
  'FULFILLABLE',
  'NEXT ACTION',
  'AMOUNT',
  'CAPTURED',
  'ATTENTION',
  'UPDATED (UTC)',
];

/** One order a line; the client where there are several. */
export const orderTable = (paint: Paint, orders: readonly Order[]): string => {
  const severalClients = new Set(orders.map(({ clientId }) => clientId)).size > 1;
  const withClient = (order: Order): Row => [...(severalClients ? [order.clientId] : []), ...orderRow(order)];
  return table(paint, severalClients ? ['CLIENT', ...HEADER] : HEADER, orders.map(withClient));
};

const orderRow = (order: Order): Row => [
  textCell(order.paymentId),
  textCell(order.paymentRequestId),
  textCell(order.referenceOrderId),
  statusCell(order.status),
  fulfillableCell(order.fulfillable),
  nextActionCell(order.nextAction),
  amountCell(order.paymentAmount ?? order.expectedAmount),
  amountCell(order.capturedAmount),
  attentionCell(order.attention),
  utc(order.updatedAt),
];

/** A change as one line that needs no header. */
export const changeLine = (paint: Paint, order: Order): string => {
  const status = statusCell(order.status);
  const attention = attentionText(order.attention);
  const parts = [
    paint('dim', utc(order.updatedAt)),
    printable(order.paymentId ?? order.paymentRequestId ?? '–'),
    paint(status.colour ?? 'bold', status.text),
    nextActionCell(order.nextAction).text,
    amountCell(order.paymentAmount ?? order.expectedAmount).text,
    attention === '' ? '' : paint('yellow', attention),
  ];
  return parts.filter((part) => part !== '').join('  ');
};

/** Everything about one order: what it says, a line a field that has a value, and below them what has several lines. */
export const orderDetails = (paint: Paint, order: Order): string => {
  const fields = Object.values(fieldsOf(paint, order));
  const lines = fields.filter((field): field is Pair => Array.isArray(field));
  const below = fields.filter((field): field is Below => !Array.isArray(field) && field !== null);
  return [pairs(paint, lines), ...below.flatMap(({ sections }) => sections)].join('\n\n');
};

interface Below {
  readonly sections: readonly string[];
}

/** A line where there is something to say. */
const ifAny = <T>(value: T | null, toPair: (value: T) => Pair): Pair | null => (value === null ? null : toPair(value));
const text = (name: string, value: string | null): Pair | null => ifAny(value, (one) => [name, one]);
const amount = (name: string, value: AmountText | null): Pair | null => ifAny(value, (one) => [name, amountCell(one)]);

/** Every field of an order is shown, unless it is null: as a line, or below the lines. */
const fieldsOf = (paint: Paint, order: Order): Readonly<Record<keyof Order, Pair | Below | null>> => ({
  clientId: ['client', order.clientId],
  paymentId: ['paymentId', textCell(order.paymentId)],
  paymentRequestId: text('paymentRequestId', order.paymentRequestId),
  referenceOrderId: text('referenceOrderId', order.referenceOrderId),
  revision: ['revision', String(order.revision)],
  status: ['status', statusCell(order.status)],
  fulfillable: ['fulfillable', fulfillableCell(order.fulfillable)],
  nextAction: ['next action', nextActionCell(order.nextAction)],
  paymentAmount: ['amount', amountCell(order.paymentAmount)],
  expectedAmount: amount('expected', order.expectedAmount),
  finalAmount: amount('final', order.finalAmount),
  capturedAmount: amount('captured', order.capturedAmount),
  remainingAmount: amount('remaining', order.remainingAmount),
  refundedAmount: amount('refunded', order.refundedAmount),
  paymentMethod: text('method', order.paymentMethod),
  captureRequired: ['capture required', order.captureRequired ? 'yes' : 'no'],
  captureMode: ['capture mode', order.captureMode],
  result: text('result', order.result && resultText(order.result)),
  paymentTime: text('payment time', order.paymentTime && legibleTime(order.paymentTime)),
  authorizationExpiresAt: text('authorization ends', order.authorizationExpiresAt),
  acquirerInfo: text('acquirer', order.acquirerInfo && JSON.stringify(order.acquirerInfo)),
  acquirerReferenceNo: text('acquirerReferenceNo', order.acquirerReferenceNo),
  replaces: text('replaces', order.replaces),
  review: text('review', order.review && reviewText(order.review)),
  createdAt: ['created (UTC)', utc(order.createdAt)],
  updatedAt: ['updated (UTC)', utc(order.updatedAt)],
  attention: { sections: attentionSections(paint, order.attention) },
  captures: { sections: captureSections(paint, order.captures) },
  refunds: { sections: tableSection(paint, REFUND_HEADER, order.refunds.map(refundRow)) },
  disputes: { sections: tableSection(paint, DISPUTE_HEADER, order.disputes.map(disputeRow)) },
});

/** One section, or none where it would have no lines. */
const linesSection = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [lines.join('\n')]);
const tableSection = (paint: Paint, header: readonly string[], rows: readonly Row[]): readonly string[] =>
  rows.length === 0 ? [] : [table(paint, header, rows)];

const attentionSections = (paint: Paint, attention: readonly Attention[]): readonly string[] =>
  linesSection(attention.map((one) => attentionLine(paint, one)));

const attentionColour = (code: AttentionCode, settled: boolean): Colour => {
  if (settled) return 'dim';
  return isBlocking(code) ? 'red' : 'yellow';
};

const attentionLine = (paint: Paint, { code, message, settled }: Attention): string =>
  `${paint(attentionColour(code, settled), code)}  ${settled ? '(settled) ' : ''}${printable(message)}`;

const reviewText = ({ decision, revision, note, createdAt }: ShownReview): string =>
  [decision, `of revision ${revision}, ${utc(createdAt)}`, note].filter(Boolean).join('  ');

const resultText = ({ resultStatus, resultCode, resultMessage }: Result): string =>
  [resultStatus, resultCode, resultMessage].filter(Boolean).join(' ');

const CAPTURE_HEADER = ['CAPTURE ID', 'CAPTURE REQUEST ID', 'STATUS', 'AMOUNT', 'CAPTURE TIME', 'RESULT CODE'];

const captureSections = (paint: Paint, captures: readonly Capture[]): readonly string[] => [
  ...tableSection(paint, CAPTURE_HEADER, captures.map(captureRow)),
  ...linesSection(captures.flatMap((capture) => captureNotes(paint, capture))),
];

const captureRow = (capture: Capture): Row => [
  textCell(capture.captureId),
  textCell(capture.captureRequestId),
  { text: capture.status, colour: MOVEMENT_COLOURS[capture.status] },
  amountCell(capture.amount),
  textCell(capture.captureTime && legibleTime(capture.captureTime)),
  textCell(capture.result.resultCode),
];

/** What the table has no room for: of a capture that did not succeed why, and APO's advice; its acquirer. */
const captureNotes = (paint: Paint, capture: Capture): readonly string[] => {
  const { status, result, furtherAction, acquirerInfo, acquirerReferenceNo } = capture;
  const notes = [
    ...(status === 'SUCCEEDED' ? [] : [result.resultMessage, generalAdvice(furtherAction)]),
    acquirerInfo && `acquirer ${JSON.stringify(acquirerInfo)}`,
    acquirerReferenceNo && `acquirerReferenceNo ${acquirerReferenceNo}`,
  ].filter((note) => note !== null);
  const name = printable(capture.captureId ?? capture.captureRequestId ?? '');
  return notes.map((note) => `${paint(MOVEMENT_COLOURS[status], name)}  ${printable(note)}`);
};

const REFUND_HEADER = [
  'REFUND ID',
  'REFUND REQUEST ID',
  'OF CAPTURE',
  'STATUS',
  'AMOUNT',
  'REFUND TIME',
  'RESULT CODE',
];

const refundRow = (refund: Refund): Row => [
  textCell(refund.refundId),
  textCell(refund.refundRequestId),
  textCell(refund.captureId),
  { text: refund.status, colour: MOVEMENT_COLOURS[refund.status] },
  amountCell(refund.amount),
  textCell(refund.refundTime),
  textCell(refund.result.resultCode),
];

const DISPUTE_COLOURS: Readonly<Record<DisputeState, Colour>> = {
  OPEN: 'red',
  DEFENDED: 'yellow',
  ACCEPTED: 'red',
  WON: 'green',
  LOST: 'red',
  VALIDATED: 'green',
  VALIDATION_FAILED: 'red',
  CANCELLED: 'green',
  RDR: 'red',
};
const DISPUTE_HEADER = ['DISPUTE ID', 'TYPE', 'STATE', 'AMOUNT', 'DUE TIME', 'REASON'];

const disputeRow = (dispute: Dispute): Row => [
  dispute.disputeId,
  textCell(dispute.type),
  { text: dispute.state, colour: DISPUTE_COLOURS[dispute.state] },
  amountCell(dispute.amount),
  textCell(dispute.dueTime && legibleTime(dispute.dueTime)),
  textCell([dispute.reasonCode, dispute.reasonMessage].filter((part) => part !== null).join(' ')),
];
