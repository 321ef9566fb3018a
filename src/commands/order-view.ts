import type { Attention } from '../order/attention.ts';
import type { Capture, CaptureStatus } from '../order/capture.ts';
import type { Order } from '../order/order.ts';
import type { Result } from '../order/statement.ts';
import { amountCell, attentionCell, fulfillableCell, nextActionCell, statusCell, textCell, utc } from './readable.ts';
import type { Colour, Paint } from './shell.ts';
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
  status: ['status', statusCell(order.status)],
  fulfillable: ['fulfillable', fulfillableCell(order.fulfillable)],
  nextAction: ['next action', nextActionCell(order.nextAction)],
  paymentAmount: ['amount', amountCell(order.paymentAmount)],
  capturedAmount: ['captured', amountCell(order.capturedAmount)],
  expectedAmount: ['expected', amountCell(order.expectedAmount)],
  result: ['result', textCell(order.result && resultText(order.result))],
  paymentTime: ['payment time', textCell(order.paymentTime)],
  authorizationExpiresAt: ['authorization ends', textCell(order.authorizationExpiresAt)],
  acquirerInfo: ['acquirer', textCell(order.acquirerInfo && JSON.stringify(order.acquirerInfo))],
  acquirerReferenceNo: ['acquirerReferenceNo', textCell(order.acquirerReferenceNo)],
  createdAt: ['created (UTC)', utc(order.createdAt)],
  updatedAt: ['updated (UTC)', utc(order.updatedAt)],
  captures: { sections: captureSections(paint, order.captures) },
  attention: { sections: attentionSections(paint, order.attention) },
});

const captureSections = (paint: Paint, captures: readonly Capture[]): readonly string[] =>
  captures.length === 0 ? [] : [captureTable(paint, captures), ...adviceOf(paint, captures)];

const attentionSections = (paint: Paint, attention: readonly Attention[]): readonly string[] =>
  attention.length === 0
    ? []
    : [attention.map(({ code, message }) => `${paint('yellow', code)}  ${message}`).join('\n')];

const resultText = ({ resultStatus, resultCode, resultMessage }: Result): string =>
  [resultStatus, resultCode, resultMessage].filter(Boolean).join(' ');

const CAPTURE_COLOURS: Readonly<Record<CaptureStatus, Colour>> = {
  SUCCEEDED: 'green',
  FAILED: 'red',
  PROCESSING: 'yellow',
};
const CAPTURE_HEADER = ['CAPTURE ID', 'CAPTURE REQUEST ID', 'STATUS', 'AMOUNT', 'CAPTURE TIME', 'RESULT CODE'];

const captureTable = (paint: Paint, captures: readonly Capture[]): string =>
  table(
    paint,
    CAPTURE_HEADER,
    captures.map((capture) => [
      textCell(capture.captureId),
      textCell(capture.captureRequestId),
      { text: capture.status, colour: CAPTURE_COLOURS[capture.status] },
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
