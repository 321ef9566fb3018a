import type { Search } from '../http/admin/unverified-search.ts';
import type { CallbackEntry, ShownEntry, ShownTimeline } from '../http/admin/timeline-shown.ts';
import { show } from '../order/show.ts';
import type { Found, NotificationSummary } from '../store/store.ts';
import { inquirySaid } from './inquiry-said.ts';
import type { Lately } from './lately.ts';
import { askedText, counted, fulfillableCell, nextActionCell, statusCell, utc } from './readable.ts';
import type { Paint } from './shell.ts';
import { type Row, printable, table } from './table.ts';
import { flawOf } from './unverified-said.ts';

/** All that is to be said about an id. */
export interface Why {
  readonly id: string;
  readonly orders: readonly ShownTimeline[];
  /** Further orders that carry it. */
  readonly moreOrders: number;
  /** Notifications that name it and are of none of these orders. */
  readonly notifications: readonly NotificationSummary[];
  /** Refunds that carry it and join no payment. */
  readonly refunds: Found['refunds'];
  /** Of refunds that carry it and that no notification names yet. */
  readonly refundRegistrations: Found['refundRegistrations'];
  /** Malformed notifications whose bytes hold it. */
  readonly malformed: readonly NotificationSummary[];
  readonly unverified: Search['unverified'];
  readonly notSearched: string | null;
  /** Where no verified notification names it and one is waited for, or the next is overdue: what that can mean. */
  readonly lately: (Lately & { readonly meanings: readonly string[] }) | null;
}

/** First why, then what happened, then what to do. */
export const whyText = (paint: Paint, why: Why): string =>
  [
    ...why.orders.flatMap((one) => orderSections(paint, one)),
    ...moreOrders(why),
    ...section(paint, 'Without an order', [...why.notifications, ...why.malformed].map(withoutOrder)),
    ...section(paint, 'Refunds that join no payment', why.refunds.map(unjoined)),
    ...section(paint, 'Refunds that are only registered', onlyRegistered(why)),
    ...unverifiedSections(paint, why),
    ...latelySections(paint, why),
  ].join('\n\n');

const section = (paint: Paint, heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [[paint('bold', heading), ...lines.map((line) => `  ${printable(line)}`)].join('\n')];

const orderSections = (paint: Paint, shown: ShownTimeline): readonly string[] => {
  const { order, why, note } = shown;
  return [
    headline(paint, shown),
    ...section(paint, `Why ${order.status}`, why.status),
    ...section(paint, order.fulfillable ? 'Why fulfillable' : 'Why not fulfillable', why.fulfillable),
    ...section(paint, `Why ${order.nextAction}`, why.nextAction),
    [paint('bold', 'What happened'), timelineTable(paint, shown), ...(note === null ? [] : [paint('dim', note)])].join(
      '\n',
    ),
    ...section(paint, 'What APO was asked', inquirySaid(shown.inquiry, idOf(shown), new Date().toISOString())),
    ...section(paint, 'What to do', why.advice),
  ];
};

const idOf = ({ order: { paymentId, paymentRequestId } }: ShownTimeline): string => paymentId ?? paymentRequestId ?? '';

const moreOrders = ({ id, moreOrders: more }: Why): readonly string[] =>
  more === 0 ? [] : [printable(`Not shown: ${counted(more, 'order')} more of ${id}. Ask by a paymentId.`)];

const headline = (paint: Paint, { order }: ShownTimeline): string => {
  const { clientId, paymentId, paymentRequestId, referenceOrderId } = order;
  const status = statusCell(order.status);
  const names = [
    ...(paymentId === null ? [] : [`payment ${paymentId}`]),
    ...(paymentRequestId === null ? [] : [`request ${paymentRequestId}`]),
    ...(referenceOrderId === null ? [] : [`order ${referenceOrderId}`]),
    `client ${clientId}`,
  ];
  const verdict = [
    paint(status.colour ?? 'bold', status.text),
    order.fulfillable ? 'fulfillable' : 'not fulfillable',
    nextActionCell(order.nextAction).text,
  ];
  return `${verdict.join(', ')}\n${paint('dim', printable(names.join(', ')))}`;
};

const HEADER = ['TIME (UTC)', 'WHAT', '', 'STATUS', 'FULFILLABLE', 'NEXT ACTION', 'ATTENTION'];

const timelineTable = (paint: Paint, { items, order: { paymentId } }: ShownTimeline): string =>
  table(
    paint,
    HEADER,
    items.map((one): Row => {
      const { says } = one;
      const [what, more] = wordsOf(one, paymentId);
      const said: Row =
        says === null
          ? []
          : [
              statusCell(says.status),
              fulfillableCell(says.fulfillable),
              nextActionCell(says.nextAction),
              says.attention.join(' '),
            ];
      return [utc(one.at), what, more, ...said];
    }),
  );

/** What happened, and more about it. */
const wordsOf = (one: ShownEntry, own: string | null): readonly [what: string, more: string] => {
  switch (one.type) {
    case 'notification': {
      const other = one.paymentId === null || one.paymentId === own ? [] : [`of payment ${one.paymentId}`];
      return [`${one.kind}${timesText(one)}`, [...unreadWords(one), ...one.states, ...other].join(' ')];
    }
    case 'inquiry':
      return [`INQUIRY${timesText(one)}`, [...unreadWords(one), ...one.states, `(${askedText(one.asked)})`].join(' ')];
    case 'registration': {
      const words = [
        one.paymentRequestId,
        show(one.amount),
        one.referenceOrderId,
        one.captureMode,
        one.paymentMethodType,
        one.finalAmount === null ? null : `final ${show(one.finalAmount)}`,
        one.cancelled ? 'cancelled' : null,
      ];
      return ['registered', words.filter((word) => word !== null).join(' ')];
    }
    case 'refund registration':
      return ['refund registered', `${one.refundRequestId} of ${one.paymentId ?? one.paymentRequestId ?? ''}`];
    case 'review':
      return ['review', [one.decision ?? 'taken back', one.note].filter(Boolean).join(' ')];
    case 'move':
      return moveWords(one);
    case 'clock':
      return ['time passed', 'nothing came'];
    case 'unverified':
      return ['unverified', `${one.reason} ${one.id.slice(0, 12)}`];
    case 'callback':
      return callbackWords(one);
  }
};

const timesText = ({ deliveries }: Pick<NotificationSummary, 'deliveries'>): string =>
  deliveries > 1 ? ` (${deliveries} times)` : '';
const unreadWords = ({ outcome, problem }: Pick<NotificationSummary, 'outcome' | 'problem'>): readonly string[] =>
  outcome === 'APPLIED' ? [] : [outcome, problem].filter((word) => word !== null);

type MoveEntry = Extract<ShownEntry, { readonly type: 'move' }>;

const moveWords = (one: MoveEntry): readonly [what: string, more: string] => {
  const { kind, requestId, amount, captureId, isLast, outcome, resultCode, reason } = one;
  const asked = [
    amount === null ? null : show(amount),
    captureId === null ? null : `of ${captureId}`,
    isLast === true ? 'the last' : null,
  ];
  const words = outcome === null ? asked : [outcome, resultCode, reason];
  const what = outcome === null ? `${kind} written down` : `${kind} sent`;
  return [what, [requestId, ...words].filter((word) => word !== null).join(' ')];
};

const callbackWords = ({ origin, revision, waiting }: CallbackEntry): readonly [what: string, more: string] => {
  if (waiting === null) return ['callback delivered', `revision ${revision} to ${origin}`];
  const { attempts, why, nextAttemptAt } = waiting;
  const tried = attempts === 0 ? '' : `, ${counted(attempts, 'attempt')}`;
  const reason = why === null ? '' : `: ${why}, next ${utc(nextAttemptAt)}`;
  return ['callback waits', `revision ${revision} to ${origin}${tried}${reason}`];
};

const withoutOrder = ({ kind, outcome, problem, id, firstReceivedAt }: NotificationSummary): string => {
  const came = `A notification of kind ${kind} came at ${utc(firstReceivedAt)} UTC (${id.slice(0, 12)})`;
  switch (outcome) {
    case 'UNHANDLED':
      return `${came}: paynotify has no handler for this kind (UNHANDLED), so it is kept and makes no order.`;
    case 'MALFORMED':
      return `${came} and could not be read (MALFORMED): ${problem ?? ''} Ask APO what it says.`;
    case 'FAILED':
      return `${came} and could not be applied (FAILED), a fault of paynotify: ${problem ?? ''} It is tried again.`;
    case 'APPLIED':
      return `${came} and makes no order by itself.`;
  }
};

const unjoined = ({ refundId, refundRequestId, status, registration }: Why['refunds'][number]): string => {
  const name = refundRequestId ?? refundId ?? '';
  return registration !== null
    ? `${name} ${status ?? ''}: it is registered for ${refundedBy(registration)}, of which no notification has come.`
    : `${name} ${status ?? ''}: REFUND_RESULT names no payment. Register it: \`paynotify register ${name} --refund-of PAYMENT_ID\`.`;
};

const refundedBy = ({ paymentId, paymentRequestId }: Why['refundRegistrations'][number]): string =>
  paymentId === null ? `the payment of request ${paymentRequestId ?? ''}` : `payment ${paymentId}`;

const onlyRegistered = ({ orders, refundRegistrations }: Why): readonly string[] =>
  refundRegistrations.flatMap((one) => {
    const payment = refundedBy(one);
    const said = `${one.refundRequestId} is registered for ${payment}, and no notification of it has verified. Ask APO what became of it (inquiryRefund, or APO's dashboard).`;
    return orders.some(({ order }) => order.clientId === one.clientId)
      ? [said]
      : [said, `Nothing is known of ${payment} yet.`];
  });

const latelySections = (paint: Paint, { id, orders, refundRegistrations, lately }: Why): readonly string[] => {
  if (lately === null) return [];
  const unnamed =
    refundRegistrations.length === 0 ? `Nothing that verified names ${id}` : `No notification of ${id} has verified`;
  const heading = orders.length === 0 ? unnamed : 'What is waited for has not come';
  return section(paint, printable(`${heading}. What that can mean`), lately.meanings);
};

const UNVERIFIED_HEADER = ['ID', 'REASON', 'DELIVERIES', 'LAST RECEIVED (UTC)'];

const unverifiedSections = (paint: Paint, { id, unverified, notSearched, lately }: Why): readonly string[] => {
  // What was seen lately says the same.
  if (unverified.length === 0) return notSearched === null || lately !== null ? [] : [paint('dim', notSearched)];
  const rows = unverified.map((one) => [
    one.id,
    { text: one.reason, colour: 'yellow' as const },
    String(one.deliveries),
    utc(one.lastReceivedAt),
  ]);
  const said = [...new Set(unverified.map(flawOf)), ...(unverified.every(({ diagnosis }) => diagnosis) ? [] : REMEDY)];
  return [
    [
      paint('bold', printable(`Failed verification, and holds ${id} or an id of its order; no order was touched`)),
      table(paint, UNVERIFIED_HEADER, rows),
      ...said.map((line) => `  ${printable(line)}`),
    ].join('\n'),
  ];
};

const REMEDY = [
  'Correct the configuration and restart, or send SIGHUP for key files: it is verified again, and applied.',
  'What a proxy changed on the way only APO can send again. `paynotify unverified ID` shows a request.',
];
