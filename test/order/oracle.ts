import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AttentionCode } from '../../src/order/attention.ts';
import type { Capture } from '../../src/order/capture.ts';
import type { NextAction } from '../../src/order/next-action.ts';
import type { DerivedOrder } from '../../src/order/order.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import type { OrderStatus } from '../../src/order/status.ts';
import type { Registration } from '../../src/order/registration.ts';
import type { JsonObject, Result, ResultStatus } from '../../src/order/statement.ts';

/*
 * The contract's section *Order*, said again as plainly as possible, from the text of the notifications to the
 * orders. It shares nothing with src/ but types: what both agree on, two readings of the contract agree on.
 * It is slow, and reads top to bottom like the page.
 */

/** An order as the oracle tells it; of the attention only the codes, for the wording is the program's own. */
export type ToldOrder = Omit<DerivedOrder, 'attention'> & { readonly attention: readonly AttentionCode[] };

/** A verified notification: the text of its body, and whose it is. */
export interface ReceivedNotification {
  readonly clientId: string;
  readonly body: string;
}

export interface Told {
  readonly received: readonly ReceivedNotification[];
  /** The current ones: one a client and `paymentRequestId`. */
  readonly registrations: readonly Registration[];
  readonly rules: OrderRules;
}

interface Money {
  readonly currency: string;
  readonly value: bigint;
}

/** What one applied notification says; what it does not say is null. */
interface Said {
  readonly kind: 'PAYMENT_RESULT' | 'PAYMENT_PENDING' | 'CAPTURE_RESULT';
  readonly sha256: string;
  readonly paymentId: string;
  readonly paymentRequestId: string | null;
  readonly captureId: string | null;
  readonly captureRequestId: string | null;
  readonly result: Result;
  readonly amount: Money | null;
  readonly paymentTime: string | null;
  readonly paymentCreateTime: string | null;
  readonly authExpiryTime: string | null;
  readonly captureTime: string | null;
  readonly paymentMethodType: string | null;
  readonly pspName: string | null;
  readonly showsCardField: boolean;
  readonly acquirerInfo: JsonObject | null;
  readonly acquirerReferenceNo: string | null;
}

/* ---- Verified: what a body turns out to be ---- */

type Reading =
  | { readonly outcome: 'APPLIED'; readonly said: Said }
  | { readonly outcome: 'MALFORMED'; readonly paymentId: string | null }
  | { readonly outcome: 'UNHANDLED' };

type Fields = Readonly<Record<string, unknown>>;

const KINDS = ['PAYMENT_RESULT', 'PAYMENT_PENDING', 'CAPTURE_RESULT'] as const;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '';

const isIdentifier = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value);

const isAmount = (value: unknown): value is { currency: string; value: string } =>
  isObject(value) &&
  typeof value['currency'] === 'string' &&
  /^[A-Z]{3}$/.test(value['currency']) &&
  typeof value['value'] === 'string' &&
  /^[0-9]{1,64}$/.test(value['value']);

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const parseOrNull = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

const readAnew = (body: string): Reading => {
  const json = parseOrNull(body);
  if (!isObject(json)) return { outcome: 'MALFORMED', paymentId: null };
  const notifyType = json['notifyType'];
  if (isMissing(notifyType)) return { outcome: 'UNHANDLED' };
  if (typeof notifyType !== 'string') return { outcome: 'MALFORMED', paymentId: null };
  const kind = KINDS.find((known) => known === notifyType);
  if (kind === undefined) return { outcome: 'UNHANDLED' };

  const paymentId = isIdentifier(json['paymentId']) ? json['paymentId'] : null;
  const malformed = { outcome: 'MALFORMED', paymentId } as const;
  if (paymentId === null) return malformed;
  for (const name of ['captureId', 'captureRequestId', 'paymentRequestId']) {
    if (!isMissing(json[name]) && !isIdentifier(json[name])) return malformed;
  }
  for (const name of ['paymentAmount', 'captureAmount']) {
    if (json[name] !== undefined && json[name] !== null && !isAmount(json[name])) return malformed;
  }
  if (kind === 'CAPTURE_RESULT' && isMissing(json['captureId']) && isMissing(json['captureRequestId']))
    return malformed;
  const result = json['result'];
  if (!isObject(result)) return malformed;
  const resultStatus = result['resultStatus'];
  if (resultStatus !== 'S' && resultStatus !== 'F' && resultStatus !== 'U') return malformed;

  const stated = kind === 'CAPTURE_RESULT' ? json['captureAmount'] : json['paymentAmount'];
  const card = isObject(json['paymentResultInfo']) ? json['paymentResultInfo'] : {};
  const psp = isObject(json['pspCustomerInfo']) ? json['pspCustomerInfo'] : {};
  return {
    outcome: 'APPLIED',
    said: {
      kind,
      sha256: createHash('sha256').update(body).digest('hex'),
      paymentId,
      paymentRequestId: kind === 'CAPTURE_RESULT' ? null : text(json['paymentRequestId']),
      captureId: text(json['captureId']),
      captureRequestId: text(json['captureRequestId']),
      result: { resultStatus, resultCode: text(result['resultCode']), resultMessage: text(result['resultMessage']) },
      amount: isAmount(stated) ? { currency: stated.currency, value: BigInt(stated.value) } : null,
      paymentTime: text(json['paymentTime']),
      paymentCreateTime: text(json['paymentCreateTime']),
      authExpiryTime: text(json['authExpiryTime']),
      captureTime: text(json['captureTime']),
      paymentMethodType: text(json['paymentMethodType']),
      pspName: text(psp['pspName']),
      showsCardField: [
        'cardNo',
        'cardBin',
        'cardBrand',
        'lastFour',
        'funding',
        'networkTransactionId',
        'threeDSResult',
      ].some(
        (name) => !isMissing(card[name]) && JSON.stringify(card[name]) !== '{}' && JSON.stringify(card[name]) !== '[]',
      ),
      acquirerInfo: isObject(json['acquirerInfo']) ? (json['acquirerInfo'] as JsonObject) : null,
      acquirerReferenceNo: text(json['acquirerReferenceNo']),
    },
  };
};

const readBefore = new Map<string, Reading>();

/** A body always reads the same, and the tables read the same few very often. */
const read = (body: string): Reading => {
  const reading = readBefore.get(body) ?? readAnew(body);
  readBefore.set(body, reading);
  return reading;
};

/* ---- One order is one (clientId, paymentId) ---- */

/** What a client's notifications say of one payment, and of the others where they meet it. */
interface About {
  readonly clientId: string;
  readonly paymentId: string | null;
  readonly payments: readonly Said[];
  readonly captures: readonly Said[];
  readonly registration: Registration | null;
  readonly isUnreadable: boolean;
  readonly meetsAnotherPayment: boolean;
  readonly rules: OrderRules;
}

/** Every order of every client, by `clientId`, then `paymentId`, those without one last by `paymentRequestId`. */
export const tellOrders = ({ received, registrations, rules }: Told): readonly ToldOrder[] => {
  const clientIds = new Set([
    ...received.map(({ clientId }) => clientId),
    ...registrations.map(({ clientId }) => clientId),
  ]);
  return sorted([...clientIds]).flatMap((clientId) => {
    // A resend, the same body again, is not a new notification.
    const bodies = new Set(received.filter((one) => one.clientId === clientId).map(({ body }) => body));
    const readings = [...bodies].map(read);
    return tellOrdersOf({
      clientId,
      rules,
      said: readings.flatMap((reading) => (reading.outcome === 'APPLIED' ? [reading.said] : [])),
      unreadable: readings.flatMap((reading) => (reading.outcome === 'MALFORMED' ? [reading.paymentId] : [])),
      registrations: registrations.filter((one) => one.clientId === clientId),
    });
  });
};

interface OfClient {
  readonly clientId: string;
  readonly said: readonly Said[];
  readonly unreadable: readonly (string | null)[];
  readonly registrations: readonly Registration[];
  readonly rules: OrderRules;
}

const tellOrdersOf = ({ clientId, said, unreadable, registrations, rules }: OfClient): readonly ToldOrder[] => {
  const paymentIds = sorted([...new Set(said.map(({ paymentId }) => paymentId))]);
  const orders = paymentIds.map((paymentId) => {
    const payments = said.filter((one) => one.paymentId === paymentId && one.kind !== 'CAPTURE_RESULT');
    const captures = said.filter((one) => one.paymentId === paymentId && one.kind === 'CAPTURE_RESULT');
    const others = said.filter((one) => one.paymentId !== paymentId);
    const named = sorted(registrations.map((one) => one.paymentRequestId)).find((id) =>
      payments.some((payment) => payment.paymentRequestId === id),
    );
    return tell({
      clientId,
      paymentId,
      payments,
      captures,
      registration: registrations.find((one) => one.paymentRequestId === named) ?? null,
      isUnreadable: unreadable.includes(paymentId),
      meetsAnotherPayment:
        payments.some((one) =>
          others.some(
            (other) =>
              other.kind !== 'CAPTURE_RESULT' &&
              one.paymentRequestId !== null &&
              other.paymentRequestId === one.paymentRequestId,
          ),
        ) ||
        captures.some((one) =>
          others.some(
            (other) => other.kind === 'CAPTURE_RESULT' && one.captureId !== null && other.captureId === one.captureId,
          ),
        ),
      rules,
    });
  });
  const alone = registrations.filter(
    (one) => !said.some(({ paymentRequestId }) => paymentRequestId === one.paymentRequestId),
  );
  const expected = sorted(alone.map(({ paymentRequestId }) => paymentRequestId)).map((id) =>
    tell({
      clientId,
      paymentId: null,
      payments: [],
      captures: [],
      registration: alone.find(({ paymentRequestId }) => paymentRequestId === id) ?? null,
      isUnreadable: false,
      meetsAnotherPayment: false,
      rules,
    }),
  );
  return [...orders, ...expected];
};

const tell = (about: About): ToldOrder => {
  const { payments, registration, rules } = about;
  const spoken = [...payments].sort(bySpeaking);
  const groups = groupCaptures(about.captures);
  const captures = groups.map(tellCapture);
  const paymentAmount = largestOf(amountsOf(payments));
  const expectedAmount =
    registration === null ? null : { currency: registration.amount.currency, value: BigInt(registration.amount.value) };
  const capturedAmount = sumOfCaptures({ captures, paymentAmount, expectedAmount });
  const captureRequired = isCaptureRequired(about);

  const results = payments.filter(({ kind }) => kind === 'PAYMENT_RESULT');
  const has = (status: ResultStatus) => results.some(({ result }) => result.resultStatus === status);
  const successful = captures.filter(({ status }) => status === 'SUCCEEDED');
  const isKnown = paymentAmount !== null && paymentAmount.value > 0n;
  const captured = capturedAmount?.value ?? 0n;

  const status = ((): OrderStatus => {
    if (isKnown && captured >= paymentAmount.value) return 'CAPTURED';
    if (has('S') && !captureRequired) return 'CAPTURED';
    if (successful.length > 0) return 'PARTIALLY_CAPTURED';
    if (has('S')) return 'AUTHORIZED';
    if (has('F')) return 'FAILED';
    if (payments.some(({ kind }) => kind === 'PAYMENT_PENDING') || has('U')) return 'PROCESSING';
    return 'PENDING';
  })();

  const successStatesAmount = results.some(
    ({ result, amount }) => result.resultStatus === 'S' && amount !== null && amount.value > 0n,
  );
  const attention: AttentionCode[] = [];
  const note = (code: AttentionCode, holds: boolean): void => {
    if (holds) attention.push(code);
  };
  note(
    'CONTRADICTORY_RESULT',
    (has('S') && has('F')) ||
      groups.some(
        (group) =>
          group.some(({ result }) => result.resultStatus === 'S') &&
          group.some(({ result }) => result.resultStatus === 'F'),
      ) ||
      (has('F') && successful.length > 0),
  );
  note('CONTRADICTORY_AMOUNT', areTwo(amountsOf(payments)) || groups.some((group) => areTwo(amountsOf(group))));
  note(
    'CONTRADICTORY_IDENTITY',
    about.meetsAnotherPayment ||
      idsOf(payments, 'paymentRequestId').length > 1 ||
      groups.some((group) => idsOf(group, 'captureId').length > 1 || idsOf(group, 'captureRequestId').length > 1) ||
      (successful.some(({ captureId, captureRequestId }) => captureId !== null && captureRequestId === null) &&
        successful.some(({ captureId, captureRequestId }) => captureId === null && captureRequestId !== null)),
  );
  note('AMOUNT_MISMATCH', paymentAmount !== null && expectedAmount !== null && areTwo([paymentAmount, expectedAmount]));
  note(
    'CURRENCY_MISMATCH',
    new Set(
      [...amountsOf(payments), ...amountsOf(about.captures), ...(expectedAmount === null ? [] : [expectedAmount])].map(
        ({ currency }) => currency,
      ),
    ).size > 1,
  );
  note('OVER_CAPTURED', isKnown && captured > paymentAmount.value);
  note(
    'AMOUNT_UNKNOWN',
    (has('S') && !successStatesAmount) || successful.some(({ amount }) => amount === null || amount.value === '0'),
  );
  note('UNREADABLE_NOTIFICATION', about.isUnreadable);
  note('CAPTURE_WITHOUT_PAYMENT', captures.length > 0 && results.length === 0);
  note('CAPTURE_FAILED', captures.some((capture) => capture.status === 'FAILED') && status !== 'CAPTURED');

  const blocking = attention.filter((code) => code !== 'CAPTURE_WITHOUT_PAYMENT' && code !== 'CAPTURE_FAILED');
  const isPlayMoney = rules.production && about.clientId.startsWith('SANDBOX_');
  const fulfillable = status === 'CAPTURED' && successStatesAmount && blocking.length === 0 && !isPlayMoney;

  const nextAction = ((): NextAction => {
    if (blocking.some((code) => code !== 'AMOUNT_UNKNOWN')) return 'REVIEW';
    if (fulfillable) return 'FULFIL';
    if (captures.some((capture) => capture.status === 'PROCESSING')) return 'WAIT';
    if (status === 'FAILED') return 'NEW_PAYMENT_REQUEST';
    if (captures.some((capture) => capture.status === 'FAILED') && status !== 'CAPTURED' && status !== 'PENDING') {
      return afterFailedCapture(groups, successful.length > 0);
    }
    const mode = registration?.captureMode ?? rules.captureMode;
    if (
      mode === 'MANUAL' &&
      isKnown &&
      !attention.includes('AMOUNT_UNKNOWN') &&
      (status === 'AUTHORIZED' || status === 'PARTIALLY_CAPTURED')
    ) {
      return 'CAPTURE';
    }
    if (status === 'CAPTURED' && attention.includes('AMOUNT_UNKNOWN')) return 'REVIEW';
    return 'WAIT';
  })();

  return {
    clientId: about.clientId,
    paymentId: about.paymentId,
    paymentRequestId:
      about.paymentId === null
        ? (registration?.paymentRequestId ?? null)
        : (idsOf(payments, 'paymentRequestId')[0] ?? null),
    referenceOrderId: registration?.referenceOrderId ?? null,
    status,
    fulfillable,
    nextAction,
    paymentAmount: shown(paymentAmount),
    capturedAmount: shown(capturedAmount),
    expectedAmount: shown(expectedAmount),
    result: spoken[0]?.result ?? null,
    paymentTime: firstNonNull(spoken, 'paymentTime'),
    authorizationExpiresAt: expiryOf(spoken, has('S')),
    acquirerInfo: firstNonNull(spoken, 'acquirerInfo'),
    acquirerReferenceNo: firstNonNull(spoken, 'acquirerReferenceNo'),
    captures,
    attention,
  };
};

/* ---- Captures ---- */

const meet = (a: Said, b: Said): boolean =>
  (a.captureId !== null && a.captureId === b.captureId) ||
  (a.captureRequestId !== null && a.captureRequestId === b.captureRequestId);

/** One by one, each joining all the groups in which it meets a member. Sorted as they are shown. */
const groupCaptures = (captures: readonly Said[]): readonly (readonly Said[])[] => {
  let groups: Said[][] = [];
  for (const one of captures) {
    const joined = groups.filter((group) => group.some((member) => meet(member, one)));
    groups = [...groups.filter((group) => !joined.includes(group)), [...joined.flat(), one]];
  }
  const keyOf = (group: readonly Said[]) =>
    [idsOf(group, 'captureId')[0] ?? '', idsOf(group, 'captureRequestId')[0] ?? ''] as const;
  return groups.sort((a, b) => ascending(keyOf(a)[0], keyOf(b)[0]) || ascending(keyOf(a)[1], keyOf(b)[1]));
};

const tellCapture = (group: readonly Said[]): Capture => {
  const spoken = [...group].sort(bySpeaking);
  const [first] = spoken;
  if (first === undefined) throw new Error('nobody spoke of this capture');
  const statuses = { S: 'SUCCEEDED', F: 'FAILED', U: 'PROCESSING' } as const;
  return {
    captureId: idsOf(group, 'captureId')[0] ?? null,
    captureRequestId: idsOf(group, 'captureRequestId')[0] ?? null,
    status: statuses[first.result.resultStatus],
    amount: shown(smallestOf(amountsOf(group))),
    captureTime: firstNonNull(spoken, 'captureTime'),
    result: first.result,
    furtherAction: FURTHER_ACTIONS.get(first.result.resultCode ?? '') ?? null,
    acquirerInfo: firstNonNull(spoken, 'acquirerInfo'),
    acquirerReferenceNo: firstNonNull(spoken, 'acquirerReferenceNo'),
  };
};

/** The seed's table: code, value, message, further action. */
const FURTHER_ACTIONS = new Map(
  readFileSync(new URL('../fixtures/capture-result-codes.md', import.meta.url), 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => line.split(' | '))
    .map(([code = '', , , action = '']) => [code.replace('| ', ''), action.replace(/ \|$/, '')]),
);

const RETRIED = new Set([
  'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT',
  'CURRENCY_NOT_SUPPORT',
  'PARAM_ILLEGAL',
  'USER_AMOUNT_EXCEED_LIMIT',
]);
const PAID_ANEW = new Set(['AUTH_CANCELLED', 'AUTH_EXPIRED', 'ORDER_IS_CANCELED']);

const afterFailedCapture = (groups: readonly (readonly Said[])[], anySucceeded: boolean): NextAction => {
  const failed = groups.filter((group) => tellCapture(group).status === 'FAILED');
  const [decisive] = failed
    .flat()
    .filter(({ result }) => result.resultStatus === 'F')
    .sort(bySpeaking);
  const code = decisive?.result.resultCode ?? '';
  if (RETRIED.has(code)) return 'RETRY_CAPTURE';
  if (PAID_ANEW.has(code) && !anySucceeded) return 'NEW_PAYMENT_REQUEST';
  return 'CONTACT_SUPPORT';
};

/* ---- Amounts ---- */

const amountsOf = (said: readonly Said[]): readonly Money[] =>
  said.flatMap(({ amount }) => (amount === null ? [] : [amount]));

const shown = (money: Money | null) =>
  money === null ? null : { currency: money.currency, value: String(money.value) };

const areTwo = (amounts: readonly Money[]): boolean =>
  new Set(amounts.map(({ currency, value }) => `${currency} ${value}`)).size > 1;

const compareValues = (a: Money, b: Money): number => Number(a.value > b.value) - Number(a.value < b.value);

const largestOf = (amounts: readonly Money[]): Money | null =>
  [...amounts].sort((a, b) => compareValues(b, a) || ascending(a.currency, b.currency))[0] ?? null;

const smallestOf = (amounts: readonly Money[]): Money | null =>
  [...amounts].sort((a, b) => compareValues(a, b) || ascending(a.currency, b.currency))[0] ?? null;

interface ToSum {
  readonly captures: readonly Capture[];
  readonly paymentAmount: Money | null;
  readonly expectedAmount: Money | null;
}

const sumOfCaptures = ({ captures, paymentAmount, expectedAmount }: ToSum): Money | null => {
  const successful = captures.filter(({ status }) => status === 'SUCCEEDED');
  if (successful.length === 0) return null;
  const currency =
    paymentAmount?.currency ??
    expectedAmount?.currency ??
    sorted(successful.flatMap(({ amount }) => (amount === null ? [] : [amount.currency])))[0];
  if (currency === undefined) return null;
  let value = 0n;
  for (const { amount } of successful)
    if (amount !== null && amount.currency === currency) value += BigInt(amount.value);
  return { currency, value };
};

/* ---- A capture is required ---- */

const isCaptureRequired = ({ payments, captures, registration, rules }: About): boolean => {
  if (captures.length > 0) return true;
  if (registration?.captureMode === 'NONE') return false;
  if (rules.captureRequired !== 'cards') return true;
  if (registration?.captureMode === 'AUTOMATIC' || registration?.captureMode === 'MANUAL') return true;
  const cards = new Set(['CARD', 'APPLEPAY', 'GOOGLEPAY', 'PAYPAL']);
  const shownMethods = payments.flatMap(({ paymentMethodType, pspName }) => paymentMethodType ?? pspName ?? []);
  const showsAnother = shownMethods.some((method) => !cards.has(method));
  const showsCard = payments.some(
    ({ paymentMethodType, pspName, showsCardField }) =>
      (paymentMethodType !== null && cards.has(paymentMethodType)) || pspName === 'PAYPAL' || showsCardField,
  );
  return !showsAnother || showsCard;
};

/* ---- Every other field ---- */

const ascending = (a: string, b: string): number => Number(a > b) - Number(a < b);

const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort(ascending);

const idsOf = (said: readonly Said[], name: 'paymentRequestId' | 'captureId' | 'captureRequestId'): readonly string[] =>
  sorted([...new Set(said.flatMap((one) => one[name] ?? []))]);

const rankOf = ({ kind, result }: Said): number =>
  kind === 'PAYMENT_PENDING' ? 3 : 'SFU'.indexOf(result.resultStatus);

const timeOf = ({ kind, captureTime, paymentTime, paymentCreateTime }: Said): number =>
  readTime(kind === 'CAPTURE_RESULT' ? captureTime : (paymentTime ?? paymentCreateTime)) ?? -1e18;

const bySpeaking = (a: Said, b: Said): number => {
  // Identifiers tell captures' notifications apart, never a payment's.
  const idOf = (said: Said, name: 'captureId' | 'captureRequestId') =>
    said.kind === 'CAPTURE_RESULT' ? (said[name] ?? '') : '';
  return (
    rankOf(a) - rankOf(b) ||
    timeOf(b) - timeOf(a) ||
    ascending(idOf(b, 'captureId'), idOf(a, 'captureId')) ||
    ascending(idOf(b, 'captureRequestId'), idOf(a, 'captureRequestId')) ||
    ascending(b.sha256, a.sha256)
  );
};

const firstNonNull = <K extends keyof Said>(spoken: readonly Said[], name: K): Said[K] | null =>
  spoken.find((one) => one[name] !== null)?.[name] ?? null;

/** ISO 8601 with Z or an offset, or 13-digit epoch milliseconds; null for anything else. */
const readTime = (time: string | null): number | null => {
  if (time === null) return null;
  if (/^[0-9]{13}$/.test(time)) return Number(time);
  const [whole, day = '', clock = '', fraction = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  if (whole === undefined || Number.isNaN(Date.parse(`${day}T${clock}Z`))) return null;
  // A day that the calendar does not have comes back as another one.
  if (!new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) return null;
  const instant = Date.parse(`${day}T${clock}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`);
  return Number.isNaN(instant) ? null : instant;
};

const SEVEN_DAYS = 7 * 24 * 60 * 60 * 1000;

const expiryOf = (spoken: readonly Said[], succeeded: boolean): string | null => {
  const paymentTime = readTime(firstNonNull(spoken, 'paymentTime'));
  if (!succeeded || paymentTime === null) return null;
  const stated = readTime(firstNonNull(spoken, 'authExpiryTime'));
  if (stated !== null && stated > paymentTime) return new Date(stated).toISOString();
  const acquirerInfo = firstNonNull(spoken, 'acquirerInfo');
  const isAntom =
    acquirerInfo === null || acquirerInfo['acquirerName'] === 'ANTOM' || acquirerInfo['acquirerName'] === 'ALIPAY';
  return isAntom ? new Date(paymentTime + SEVEN_DAYS).toISOString() : null;
};
