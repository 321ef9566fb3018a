import { expect, test } from '@jest/globals';
import { changeLine, orderDetails, orderTable } from '../../src/commands/order-view.ts';
import { readBody } from '../../src/handlers/read.ts';
import { NO_SIBLINGS, type OrderEvidence } from '../../src/order/evidence.ts';
import { deriveOrder, type Order } from '../../src/order/order.ts';
import { amount, captureResult, type Fields, paymentResult, result } from '../support/facts.ts';
import { idOf } from './support.ts';

const eur = (value: string): Fields => amount('EUR', value);
const TIME = '2026-01-02T03:04:05Z';
const NOW = Date.parse('2026-01-03T00:00:00Z');

const statementsOf = (fields: Fields) => {
  const body = JSON.stringify(fields);
  return readBody(Buffer.from(body)).statements.map((statement, place) =>
    Object.assign({}, statement, { digest: idOf(body), place }),
  );
};

/** An order in which everything has happened. */
const EVERYTHING: readonly Fields[] = [
  paymentResult('S', {
    paymentAmount: eur('1000'),
    paymentTime: TIME,
    paymentMethodType: 'CARD',
    authExpiryTime: '2026-01-09T00:00:00Z',
    acquirerInfo: { acquirerName: 'ADYEN' },
    acquirerReferenceNo: 'A1',
  }),
  captureResult('S', { captureId: 'C1', captureAmount: eur('600'), captureTime: TIME, acquirerReferenceNo: 'A2' }),
  captureResult('F', { captureId: 'C2', captureAmount: eur('400'), result: result('F', 'PARAM_ILLEGAL') }),
  {
    notifyType: 'REFUND_RESULT',
    paymentId: 'P1',
    refundId: 'F1',
    refundRequestId: 'G1',
    captureId: 'C1',
    refundAmount: eur('100'),
    refundTime: TIME,
    result: result('S'),
  },
  {
    disputeNotificationType: 'DISPUTE_CREATED',
    disputeId: 'D1',
    paymentId: 'P1',
    disputeType: 'CHARGEBACK',
    disputeAmount: eur('500'),
    defenseDueTime: '2026-01-20T00:00:00Z',
    disputeReasonCode: '4853',
    disputeReasonMsg: 'Not as\u202E described',
  },
];

const evidence = (facts: readonly Fields[]): OrderEvidence => ({
  clientId: 'CLIENT',
  paymentId: 'P1',
  statements: facts.flatMap(statementsOf),
  registrations: [
    {
      clientId: 'CLIENT',
      paymentRequestId: 'R1',
      amount: { currency: 'EUR', value: '999' },
      referenceOrderId: 'order-1',
      captureMode: 'MANUAL',
      paymentMethodType: null,
      authExpiryTime: null,
      finalAmount: { currency: 'EUR', value: '900' },
      cancelled: false,
      createdAt: NOW,
    },
  ],
  problems: [],
  sharedIdentities: [],
  siblings: NO_SIBLINGS,
  newestAt: NOW,
  review: null,
});

const RULES = {
  captureRequired: 'methods',
  noCaptureMethods: [],
  captureMode: 'AUTOMATIC',
  requireRegistration: false,
  production: false,
} as const;

const shown = (of: OrderEvidence): Order => ({
  ...deriveOrder(of, RULES, NOW).order,
  revision: 1_767_323_047_000,
  replaces: null,
  createdAt: '2026-01-02T03:04:06.000Z',
  updatedAt: '2026-01-02T03:04:07.000Z',
});

/** A person has settled the mismatch, and not the dispute. */
const settled = (of: OrderEvidence): OrderEvidence => {
  const { settleable, captured, order } = deriveOrder(of, RULES, NOW);
  const review = {
    decision: 'FULFIL',
    revision: 7,
    note: 'The voucher of 1.',
    createdAt: NOW,
    settled: settleable.filter(({ code }) => code === 'AMOUNT_MISMATCH'),
    captured: captured.toString(),
    status: order.status,
  } as const;
  return { ...of, review };
};

const plain = (_: string, text: string): string => text;

test('an order is shown with all that it says', () => {
  const order = shown(settled(evidence(EVERYTHING)));
  const [mismatch, dispute, refund, failure, ...others] = order.attention.map(({ message }) => message);
  expect(others).toEqual([]);
  expect(orderDetails(plain, order)).toBe(`client               CLIENT
paymentId            P1
paymentRequestId     R1
referenceOrderId     order-1
revision             1767323047000
status               PARTIALLY_CAPTURED
fulfillable          no
next action          REVIEW
amount               EUR 1000
expected             EUR 999
final                EUR 900
captured             EUR 600
remaining            EUR 300
refunded             EUR 100
method               CARD
capture required     yes
capture mode         MANUAL
result               S SUCCESS as reported
payment time         2026-01-02T03:04:05Z
authorization ends   2026-01-09T00:00:00.000Z
acquirer             {"acquirerName":"ADYEN"}
acquirerReferenceNo  A1
review               FULFIL  of revision 7, 2026-01-03 00:00:00  The voucher of 1.
created (UTC)        2026-01-02 03:04:06
updated (UTC)        2026-01-02 03:04:07

AMOUNT_MISMATCH  (settled) ${mismatch}
DISPUTED  ${dispute}
PARTIALLY_REFUNDED  ${refund}
CAPTURE_FAILED  ${failure}

CAPTURE ID  CAPTURE REQUEST ID  STATUS     AMOUNT   CAPTURE TIME          RESULT CODE
C1          –                   SUCCEEDED  EUR 600  2026-01-02T03:04:05Z  SUCCESS
C2          –                   FAILED     EUR 400  –                     PARAM_ILLEGAL

C1  acquirerReferenceNo A2
C2  as reported
C2  APO's general advice: Check and verify whether the required request fields (including the header fields and body fields) of the current API are correctly passed and valid.

REFUND ID  REFUND REQUEST ID  OF CAPTURE  STATUS     AMOUNT   REFUND TIME           RESULT CODE
F1         G1                 C1          SUCCEEDED  EUR 100  2026-01-02T03:04:05Z  SUCCESS

DISPUTE ID  TYPE        STATE  AMOUNT   DUE TIME              REASON
D1          CHARGEBACK  OPEN   EUR 500  2026-01-20T00:00:00Z  4853 Not as\\u{202e} described`);
});

test('what an order does not say takes no line', () => {
  const text = orderDetails(plain, shown({ ...evidence([paymentResult('U')]), registrations: [] }));
  expect(text).toBe(`client            CLIENT
paymentId         P1
paymentRequestId  R1
revision          1767323047000
status            PROCESSING
fulfillable       no
next action       WAIT
amount            –
capture required  yes
capture mode      AUTOMATIC
result            U PAYMENT_IN_PROCESS as reported
created (UTC)     2026-01-02 03:04:06
updated (UTC)     2026-01-02 03:04:07`);
});

test('a list and a change name settled attention in parentheses', () => {
  const order = shown(settled(evidence(EVERYTHING)));
  const codes = '(AMOUNT_MISMATCH) DISPUTED PARTIALLY_REFUNDED CAPTURE_FAILED';
  expect(orderTable(plain, [order])).toContain(`REVIEW       EUR 1000  EUR 600   ${codes}  2026-01-02 03:04:07`);
  expect(changeLine(plain, order)).toBe(`2026-01-02 03:04:07  P1  PARTIALLY_CAPTURED  REVIEW  EUR 1000  ${codes}`);
});
