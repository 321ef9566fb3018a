import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LINES } from '../../src/order/attention.ts';
import { ATTENTION_CODES, type AttentionCode } from '../../src/order/attention-code.ts';
import { NEXT_ACTIONS } from '../../src/order/next-action.ts';
import { ORDER_STATUSES } from '../../src/order/status.ts';
import { createSigner } from '../support/client.ts';
import { type Fields, jpy } from '../support/facts.ts';
import { environmentOf, type InProcess, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';
import { blocksOf, cellsOf, type Page, readPage, sectionOf } from './blocks.ts';
import { FLOWS, play } from './flows.ts';
import { statusDiagram } from './status-diagram.ts';

/** What docs/orders.md shows is what paynotify says. */

const page = readPage('docs/orders.md');
const section = (heading: string): Page => ({ path: page.path, text: sectionOf(page, heading) });

const signer = createSigner();
let receiver: InProcess;
const start = async (): Promise<void> => {
  const directory = makeDirectory();
  receiver = await startReady(directory, environmentOf(directory, signer));
};
const stop = async (): Promise<void> => {
  await receiver.stop();
};
afterAll(removeDirectories);

test('the diagram is the one that the code prints', () => {
  expect(blocksOf(section('Status'), 'mermaid')).toEqual([statusDiagram()]);
});

/** In the table's words: when a person has to decide. */
const reviewOf = (code: AttentionCode): string => {
  const { review } = LINES[code];
  if (typeof review === 'boolean') return review ? 'yes' : 'no';
  const asks = [true, false].flatMap((isQuiet) =>
    ORDER_STATUSES.flatMap((status) =>
      review({ status, isQuiet, remaining: null, expiresAt: null, now: 0 }) ? [`${status} ${isQuiet}`] : [],
    ),
  );
  const [only] = new Set(asks.map((one) => one.split(' ')[0]));
  if (asks.length === ORDER_STATUSES.length) return 'after an hour';
  return asks.length === 2 ? `if \`${only}\`` : asks.join(', ');
};

test('the table of attention has every code, whether it blocks, and whether a person decides', () => {
  const rows = cellsOf(sectionOf(page, 'Attention')).map(([code, , blocks, review, action]) => [
    code,
    blocks,
    review,
    action !== '',
  ]);
  expect(rows).toEqual(
    ATTENTION_CODES.map((code) => [`\`${code}\``, LINES[code].blocks ? 'yes' : 'no', reviewOf(code), true]),
  );
});

test('the table of next actions has each of them', () => {
  const actions = cellsOf(sectionOf(page, 'Next action')).map(([action = '']) => action.replaceAll('`', ''));
  expect([...new Set(actions)].sort()).toEqual([...NEXT_ACTIONS].sort());
});

test('six flows are shown', () => {
  const headings = [...section('Six flows').text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(FLOWS.map(({ heading }) => heading));
  expect(headings).toHaveLength(6);
});

describe('the flow', () => {
  beforeEach(start);
  afterEach(stop);

  test.each(FLOWS)('$heading', async (flow) => {
    const { table, attention } = await play(flow, receiver, signer);
    const shown = section(flow.heading);
    expect(shown.text).toContain(`\n\n${table}`);
    expect(blocksOf(shown, 'json').map((block) => JSON.parse(block) as unknown)).toEqual(attention);
  });
});

const PAYMENT: Fields = { paymentId: '20250317194010890100111600255689113' };
const SUCCESS: Fields = { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' };
const ACQUIRED: Fields = {
  acquirerInfo: { acquirerName: 'CHECKOUT' },
  acquirerReferenceNo: 'pay_6tmvamfcxp5ujbbfjeopyz6v7q',
};
/** What the page's order is made of. */
const NOTIFICATIONS: readonly Fields[] = [
  {
    ...PAYMENT,
    ...ACQUIRED,
    notifyType: 'PAYMENT_RESULT',
    result: SUCCESS,
    paymentRequestId: 'G153202503171022523041',
    paymentAmount: jpy('120'),
    paymentTime: '2025-03-16T19:27:17-07:00',
    paymentMethodType: 'CARD',
  },
  {
    ...PAYMENT,
    ...ACQUIRED,
    notifyType: 'CAPTURE_RESULT',
    result: SUCCESS,
    captureId: '20250317194010890100111600255676857',
    captureRequestId: 'G153202503171022523041',
    captureAmount: jpy('120'),
    captureTime: '2025-03-16T19:27:19-07:00',
  },
  {
    notifyType: 'REFUND_RESULT',
    result: SUCCESS,
    refundId: '20250320194010801300111600255701122',
    refundRequestId: 'FR1',
    refundAmount: jpy('20'),
    refundTime: '2025-03-20T09:12:44-07:00',
  },
  {
    ...PAYMENT,
    disputeNotificationType: 'DISPUTE_CANCELLED',
    disputeId: '20250402194010804100111600255716348',
    paymentRequestId: 'G153202503171022523041',
    disputeType: 'CHARGEBACK',
    disputeAmount: jpy('120'),
    defenseDueTime: '2025-04-16T23:59:59-07:00',
    disputeReasonCode: '10.4',
    disputeReasonMsg: 'Other Fraud',
  },
];

const put = async (target: string, body: Fields): Promise<void> => {
  const { host, port } = receiver.admin;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`http://${host}:${port}${target}`, {
    method: 'PUT',
    headers,
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
};

describe('the order that the page shows as JSON', () => {
  beforeEach(start);
  afterEach(stop);

  test('is the one that its notifications make', async () => {
    await put('/api/orders/G153202503171022523041', { amount: jpy('120'), referenceOrderId: 'order-4711' });
    await put('/api/refunds/FR1', PAYMENT);
    for (const fields of NOTIFICATIONS) await receiver.post(signer.sign(fields));
    const { json } = await receiver.read(`/api/orders/${String(PAYMENT['paymentId'])}`);
    const [block = '{}'] = blocksOf(section('The order as JSON'), 'json');
    const shown = JSON.parse(block) as Fields;
    const { revision, createdAt, updatedAt } = json as Fields;
    // In the order in which they are served, which no comparison of objects sees.
    expect(Object.keys(shown)).toEqual(Object.keys(json as Fields));
    expect({ ...shown, revision, createdAt, updatedAt }).toEqual(json);
    for (const name of ['revision', 'createdAt', 'updatedAt'])
      expect(typeof shown[name]).toBe(typeof (json as Fields)[name]);
  });
});
