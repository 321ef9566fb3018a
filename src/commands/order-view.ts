import type { Attention } from '../order/attention-code.ts';
import type { Capture } from '../order/capture.ts';
import type { Dispute } from '../order/dispute.ts';
import type { Refund } from '../order/refund.ts';
import type { Order, ShownReview } from '../order/order.ts';
import type { Result } from '../order/statement.ts';
import {
  amountCell,
  attentionCell,
  fulfillableCell,
  MOVEMENT_COLOURS,
  nextActionCell,
  statusCell,
  textCell,
  utc,
} from './readable.ts';
import type { Paint } from './shell.ts';
import { pairs, printable, type Row, table } from './table.ts';

const HEADER = [
  'PAYMENT ID',
  'PAYMENT REQUEST ID',
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
  const attention = order.attention.map(({ code }) => code).join(' ');
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

/** Everything about one order: lines, and below them what does not fit into one. */
export const orderDetails = (paint: Paint, order: Order): string => {
  const fields = Object.values(fieldsOf(paint, order));
  const lines = fields.filter((field): field is Pair => Array.isArray(field));
  const below = fields.filter((field): field is Below => !Array.isArray(field));
  return [pairs(paint, lines), ...below.flatMap(({ sections }) => sections)].join('\n\n');
};

type Pair = Parameters<typeof pairs>[1][number];
interface Below {
  readonly sections: readonly string[];
}

/** Every field of an order is shown: as a line, or below the lines. */
const fieldsOf = (paint: Paint, order: Order): Readonly<Record<keyof Order, Pair | Below>> => ({
  clientId: ['client', order.clientId],
  paymentId: ['paymentId', textCell(order.paymentId)],
  paymentRequestId: ['paymentRequestId', textCell(order.paymentRequestId)],
  referenceOrderId: ['referenceOrderId', textCell(order.referenceOrderId)],
  revision: ['revision', String(order.revision)],
  status: ['status', statusCell(order.status)],
  fulfillable: ['fulfillable', fulfillableCell(order.fulfillable)],
  nextAction: ['next action', nextActionCell(order.nextAction)],
  paymentAmount: ['amount', amountCell(order.paymentAmount)],
  expectedAmount: ['expected', amountCell(order.expectedAmount)],
  finalAmount: ['final', amountCell(order.finalAmount)],
  capturedAmount: ['captured', amountCell(order.capturedAmount)],
  remainingAmount: ['remaining', amountCell(order.remainingAmount)],
  refundedAmount: ['refunded', amountCell(order.refundedAmount)],
  paymentMethod: ['method', textCell(order.paymentMethod)],
  captureRequired: ['capture required', order.captureRequired ? 'yes' : 'no'],
  captureMode: ['capture mode', order.captureMode],
  result: ['result', textCell(order.result && resultText(order.result))],
  paymentTime: ['payment time', textCell(order.paymentTime)],
  authorizationExpiresAt: ['authorization ends', textCell(order.authorizationExpiresAt)],
  acquirerInfo: ['acquirer', textCell(order.acquirerInfo && JSON.stringify(order.acquirerInfo))],
  acquirerReferenceNo: ['acquirerReferenceNo', textCell(order.acquirerReferenceNo)],
  createdAt: ['created (UTC)', utc(order.createdAt)],
  updatedAt: ['updated (UTC)', utc(order.updatedAt)],
  replaces: ['replaces', textCell(order.replaces)],
  review: ['review', textCell(order.review && reviewText(order.review))],
  captures: { sections: captureSections(paint, order.captures) },
  refunds: { sections: refundSections(paint, order.refunds) },
  disputes: { sections: disputeSections(paint, order.disputes) },
  attention: { sections: attentionSections(paint, order.attention) },
});

const captureSections = (paint: Paint, captures: readonly Capture[]): readonly string[] =>
  captures.length === 0 ? [] : [captureTable(paint, captures), ...adviceOf(paint, captures)];

const attentionSections = (paint: Paint, attention: readonly Attention[]): readonly string[] =>
  attention.length === 0 ? [] : [attention.map((one) => attentionLine(paint, one)).join('\n')];

const attentionLine = (paint: Paint, { code, message, settled }: Attention): string =>
  `${paint(settled ? 'dim' : 'yellow', code)}  ${settled ? '(settled) ' : ''}${message}`;

const reviewText = ({ decision, note, createdAt }: ShownReview): string =>
  [decision, `(${utc(createdAt)})`, note].filter(Boolean).join(' ');

const resultText = ({ resultStatus, resultCode, resultMessage }: Result): string =>
  [resultStatus, resultCode, resultMessage].filter(Boolean).join(' ');

const CAPTURE_HEADER = ['CAPTURE ID', 'CAPTURE REQUEST ID', 'STATUS', 'AMOUNT', 'CAPTURE TIME', 'RESULT CODE'];

const captureTable = (paint: Paint, captures: readonly Capture[]): string =>
  table(
    paint,
    CAPTURE_HEADER,
    captures.map((capture) => [
      textCell(capture.captureId),
      textCell(capture.captureRequestId),
      { text: capture.status, colour: MOVEMENT_COLOURS[capture.status] },
      amountCell(capture.amount),
      textCell(capture.captureTime),
      textCell(capture.result.resultCode),
    ]),
  );

/** What APO advises for captures that did not succeed. */
const adviceOf = (paint: Paint, captures: readonly Capture[]): readonly string[] =>
  captures
    .filter(({ status, furtherAction }) => status !== 'SUCCEEDED' && furtherAction !== null)
    .map(
      ({ captureId, captureRequestId, furtherAction }) =>
        `${paint('yellow', printable(captureId ?? captureRequestId ?? ''))}  ${furtherAction ?? ''}`,
    );

const REFUND_HEADER = ['REFUND ID', 'REFUND REQUEST ID', 'STATUS', 'AMOUNT', 'REFUND TIME', 'RESULT CODE'];

const refundSections = (paint: Paint, refunds: readonly Refund[]): readonly string[] =>
  refunds.length === 0
    ? []
    : [
        table(
          paint,
          REFUND_HEADER,
          refunds.map((refund) => [
            textCell(refund.refundId),
            textCell(refund.refundRequestId),
            { text: refund.status, colour: MOVEMENT_COLOURS[refund.status] },
            amountCell(refund.amount),
            textCell(refund.refundTime),
            textCell(refund.result.resultCode),
          ]),
        ),
      ];

const DISPUTE_HEADER = ['DISPUTE ID', 'TYPE', 'STATE', 'AMOUNT', 'DUE TIME', 'REASON'];

const disputeSections = (paint: Paint, disputes: readonly Dispute[]): readonly string[] =>
  disputes.length === 0
    ? []
    : [
        table(
          paint,
          DISPUTE_HEADER,
          disputes.map((dispute) => [
            dispute.disputeId,
            textCell(dispute.type),
            dispute.state,
            amountCell(dispute.amount),
            textCell(dispute.dueTime),
            textCell(dispute.reasonMessage ?? dispute.reasonCode),
          ]),
        ),
      ];
