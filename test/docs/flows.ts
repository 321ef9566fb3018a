import type { Attention } from '../../src/order/attention-code.ts';
import type { Order } from '../../src/order/order.ts';
import type { Signer } from '../support/client.ts';
import { amount, captureResult, type Fields, paymentResult, result } from '../support/facts.ts';
import type { Receiver } from '../support/receiver.ts';

/** The worked flows of docs/orders.md: what APO and the shop send, and which orders the page then shows. */
export interface Flow {
  /** The heading that its table stands under. */
  readonly heading: string;
  /** Fields that its table shows besides those of every table. */
  readonly columns: readonly (keyof Order)[];
  readonly steps: readonly Step[];
}

export interface Step {
  readonly send: Notification | Request;
  /** The orders to look at afterwards, by `paymentRequestId`. */
  readonly orders: readonly string[];
  /** The page shows the attention of the last one as JSON. */
  readonly showsAttention?: true;
}

interface Notification {
  readonly from: 'APO';
  readonly fields: Fields;
}

interface Request {
  readonly from: 'shop';
  readonly method: 'PUT' | 'PATCH';
  readonly target: string;
  readonly body: Fields;
  /** The body also has the `revision` of the order in the target. */
  readonly saw?: true;
}

const notification = (fields: Fields): Notification => ({ from: 'APO', fields });

const request = (method: Request['method'], target: string, body: Fields): Request => ({
  from: 'shop',
  method,
  target,
  body,
});

const eur = (value: string): Fields => amount('EUR', value);

/** Now: an authorization of long ago would have ended. */
const PAID_AT = Date.now();

/** The payment P1 under R1, P2 under R2. */
const payment = (number: number, value: string, fields: Fields = {}): Notification =>
  notification(
    paymentResult('S', {
      paymentId: `P${number}`,
      paymentRequestId: `R${number}`,
      paymentAmount: eur(value),
      paymentTime: new Date(PAID_AT).toISOString(),
      ...fields,
    }),
  );

/** `second`: how long after it was paid. */
const capture = (second: number, value: string, fields: Fields = {}): Notification =>
  notification(
    captureResult('S', {
      captureRequestId: `Q${second}`,
      captureAmount: eur(value),
      captureTime: new Date(PAID_AT + second * 1_000).toISOString(),
      ...fields,
    }),
  );

const refund = (refundRequestId: string, value: string): Notification =>
  notification({
    notifyType: 'REFUND_RESULT',
    result: result('S'),
    refundRequestId,
    refundId: `${refundRequestId}-id`,
    refundAmount: eur(value),
  });

const register = (number: number, fields: Fields): Request => request('PUT', `/api/orders/R${number}`, fields);
const change = (number: number, fields: Fields): Request => request('PATCH', `/api/orders/R${number}`, fields);
const review = (number: number, fields: Fields): Request => ({
  ...request('PUT', `/api/orders/R${number}/review`, fields),
  saw: true,
});

const CARD: Fields = { paymentMethodType: 'CARD' };
const WALLET: Fields = { paymentMethodType: 'GCASH' };
const MANUAL: Fields = { amount: eur('10000'), captureMode: 'MANUAL' };
const twice = <T>(one: T): readonly T[] => [one, one];
const BOTH = ['R1', 'R2'];

const onR1 = (...sent: readonly Step['send'][]): readonly Step[] => sent.map((send) => ({ send, orders: ['R1'] }));

export const FLOWS: readonly Flow[] = [
  {
    heading: 'A card, captured automatically',
    columns: ['capturedAmount'],
    steps: onR1(
      register(1, { amount: eur('10000'), referenceOrderId: 'order-4711' }),
      payment(1, '10000', CARD),
      ...twice(capture(1, '10000')),
    ),
  },
  {
    heading: 'A wallet',
    columns: ['captureRequired'],
    steps: [
      ...onR1(register(1, { amount: eur('10000'), ...WALLET }), payment(1, '10000')),
      { send: payment(2, '500'), orders: ['R2'], showsAttention: true },
      { send: register(2, { amount: eur('500'), ...WALLET }), orders: ['R2'] },
    ],
  },
  {
    heading: 'Two captures, and the rest is released',
    columns: ['capturedAmount', 'remainingAmount'],
    steps: onR1(
      register(1, MANUAL),
      payment(1, '10000', CARD),
      capture(1, '6000'),
      change(1, { finalAmount: eur('9000') }),
      capture(2, '3000'),
    ),
  },
  {
    heading: 'A capture fails and is made again',
    columns: ['remainingAmount'],
    steps: [
      ...onR1(register(1, MANUAL), payment(1, '10000', CARD)),
      {
        send: capture(1, '10000', { result: result('F', 'USER_AMOUNT_EXCEED_LIMIT') }),
        orders: ['R1'],
        showsAttention: true,
      },
      ...onR1(capture(2, '6000'), capture(3, '4000')),
    ],
  },
  {
    heading: 'Two refunds',
    columns: ['refundedAmount'],
    steps: onR1(
      payment(1, '10000', WALLET),
      request('PUT', '/api/refunds/F1', { paymentRequestId: 'R1' }),
      refund('F1', '3000'),
      refund('F2', '7000'),
      request('PUT', '/api/refunds/F2', { paymentId: 'P1' }),
    ),
  },
  {
    heading: 'The buyer pays twice',
    columns: ['refundedAmount'],
    steps: [
      ...onR1(register(1, { amount: eur('10000'), referenceOrderId: 'order-4711' }), payment(1, '10000', WALLET)),
      { send: register(2, { amount: eur('10000'), referenceOrderId: 'order-4711' }), orders: ['R2'] },
      { send: payment(2, '10000', WALLET), orders: BOTH.toReversed(), showsAttention: true },
      { send: review(1, { decision: 'FULFIL', note: 'R2 is refunded' }), orders: BOTH },
      { send: request('PUT', '/api/refunds/F2', { paymentRequestId: 'R2' }), orders: ['R2'] },
      { send: refund('F2', '10000'), orders: BOTH },
    ],
  },
];

/** What a flow came to: its table as the page has it, and what it shows as JSON. */
export interface Played {
  readonly table: string;
  readonly attention: readonly unknown[];
}

export const play = async ({ columns, steps }: Flow, receiver: Receiver, signer: Signer): Promise<Played> => {
  const shown = ['status', 'fulfillable', 'nextAction', ...columns, 'attention'] as const;
  const severalOrders = steps.some(({ orders }) => orders.includes('R2'));
  const header = ['what is sent', ...(severalOrders ? ['order'] : []), ...shown.map((name) => `\`${name}\``)];
  const rows: string[][] = [header, header.map(() => '---')];
  const attention: unknown[] = [];
  let before: Step['send'] | null = null;
  for (const { send, orders, showsAttention } of steps) {
    await deliver(send, receiver, signer);
    for (const [index, id] of orders.entries()) {
      const order = await orderOf(receiver, id);
      const cells = shown.map((name) => cellOf(order, name));
      rows.push([index === 0 ? textOf(send, before) : '', ...(severalOrders ? [`\`${id}\``] : []), ...cells]);
      if (showsAttention && index === orders.length - 1) attention.push(order.attention);
    }
    before = send;
  }
  return { table: rows.map(rowOf).join(''), attention };
};

const rowOf = (cells: readonly string[]): string =>
  `|${cells.map((cell) => (/^(---)?$/.test(cell) ? cell || ' ' : ` ${cell} `)).join('|')}|\n`;

const orderOf = async ({ order }: Receiver, id: string): Promise<Order> => {
  const found = await order(id);
  if (found === null) throw new Error(`there is no order ${id}`);
  return found;
};

const deliver = async (sent: Step['send'], receiver: Receiver, signer: Signer): Promise<void> => {
  if (sent.from === 'APO') {
    const { status } = await receiver.post(signer.sign(sent.fields));
    if (status !== 200) throw new Error(`the notification was answered with ${status}`);
    return;
  }
  const [, id = ''] = /^\/api\/orders\/(\w+)\/review$/.exec(sent.target) ?? [];
  const seen = sent.saw ? { revision: (await orderOf(receiver, id)).revision } : {};
  const { host, port } = receiver.admin;
  const response = await fetch(`http://${host}:${port}${sent.target}`, {
    method: sent.method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...sent.body, ...seen }),
  });
  if (!response.ok) throw new Error(`${sent.method} ${sent.target}: ${await response.text()}`);
};

const textOf = (sent: Step['send'], before: Step['send'] | null): string => {
  if (sent === before) return `${sent.from === 'APO' ? 'APO' : 'you'}: the same again`;
  if (sent.from === 'APO') return `APO: ${notificationText(sent.fields)}`;
  const body = JSON.stringify(sent.body);
  return `you: \`${sent.method} ${sent.target}\` \`${sent.saw ? body.replace(/^\{/, '{"revision":…,') : body}\``;
};

const notificationText = (fields: Fields): string => {
  const { resultStatus, resultCode } = fields['result'] as {
    readonly resultStatus: string;
    readonly resultCode: string;
  };
  const parts = [
    ...(resultStatus === 'F' ? [`\`${resultCode}\``] : []),
    ...['paymentId', 'paymentMethodType', 'captureRequestId', 'refundRequestId'].flatMap((name) => texts(fields[name])),
    ...['paymentAmount', 'captureAmount', 'refundAmount'].flatMap((name) => amounts(fields[name])),
  ];
  return `\`${texts(fields['notifyType']).join('')}\` ${resultStatus}: ${parts.join(', ')}`;
};

const texts = (value: unknown): readonly string[] => (typeof value === 'string' ? [value] : []);

const amounts = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null || !('currency' in value && 'value' in value)) return [];
  return [`${String(value.currency)} ${String(value.value)}`];
};

const attentionText = ({ code, settled }: Attention): string => `\`${code}\`${settled ? ' (settled)' : ''}`;

/** A field of an order in a table. */
const cellOf = (order: Order, name: keyof Order): string => {
  const value = order[name];
  if (name === 'attention') return order.attention.map(attentionText).join(', ');
  if (typeof value === 'boolean') return String(value);
  return [...texts(value).map((text) => `\`${text}\``), ...amounts(value)].join('');
};
