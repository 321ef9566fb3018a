import { randomInt } from 'node:crypto';
import type { AmountText } from '../order/amount.ts';
import type { Json, JsonObject, ResultStatus } from '../order/statement.ts';
import { SAMPLES, textOf } from './samples.ts';

/** The identifiers that a notification may be given. */
export const ID_NAMES = [
  'paymentId',
  'paymentRequestId',
  'captureId',
  'captureRequestId',
  'refundId',
  'refundRequestId',
  'disputeId',
] as const;
export type Ids = Readonly<Partial<Record<(typeof ID_NAMES)[number], string | undefined>>>;

/** What is to differ from a sample. */
export interface Changes extends Ids {
  readonly amount?: AmountText | undefined;
  readonly status?: ResultStatus | undefined;
  readonly resultCode?: string | undefined;
  /** Stands for every time that the sample states; what is due is due after it. */
  readonly time?: Date | undefined;
}

/** The `notifyType`; of a dispute, which has none, the `disputeNotificationType`. */
export const typeOf = (notification: JsonObject): string =>
  textOf(notification, 'notifyType') || textOf(notification, 'disputeNotificationType');

/** The first sample of a type; of an unknown type there is only its name. */
export const baseOf = (type: string): JsonObject =>
  SAMPLES.find(({ notification }) => typeOf(notification) === type)?.notification ?? {
    notifyType: type,
    result: { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' },
  };

/** Identifiers that nobody has used, where the base has them: a date and random digits, as APO's look. */
export const freshIds = (base: JsonObject): Ids =>
  Object.fromEntries(ID_NAMES.filter((name) => name in base).map((name) => [name, freshId()]));

const DIGITS = 12;
const digits = (): string => String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
const freshId = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '') + digits() + digits();

/** A notification like the base but for the changes. A dispute has no result: there is none to change. */
export const compose = (base: JsonObject, changes: Changes): JsonObject => {
  const { amount, status, resultCode, time, ...ids } = changes;
  const given = Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined)) as Record<string, string>;
  const stated: JsonObject = {
    ...base,
    ...given,
    ...(amount === undefined ? {} : amountsOf(base, amount)),
    ...(time === undefined ? {} : timesOf(base, time)),
  };
  return 'result' in base ? withResult(stated, resultOf(base, { status, resultCode })) : stated;
};

/** A notification made now, with ids that nobody has used, but for the changes. */
export const composeNew = (base: JsonObject, changes: Changes): JsonObject => {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return compose(base, { ...freshIds(base), time: new Date(), ...given });
};

/** How a kind names its amount. */
const amountName = (base: JsonObject): string => {
  if ('disputeNotificationType' in base) return 'disputeAmount';
  if (base['notifyType'] === 'CAPTURE_RESULT') return 'captureAmount';
  return base['notifyType'] === 'REFUND_RESULT' ? 'refundAmount' : 'paymentAmount';
};

/** Where a kind states all of its amount once more. */
const SAME_AMOUNTS = ['actualPaymentAmount', 'disputeJudgedAmount'] as const;

const amountsOf = (base: JsonObject, amount: AmountText): JsonObject =>
  Object.fromEntries(
    [amountName(base), ...SAME_AMOUNTS.filter((name) => name in base)].map((name) => [name, { ...amount }]),
  );

/** The amount that a notification states under its kind's name; null where there is none. */
export const amountIn = (notification: JsonObject): AmountText | null =>
  (notification[amountName(notification)] ?? null) as AmountText | null;

/** Times that only a success has. */
const OF_SUCCESS: ReadonlySet<string> = new Set(['paymentTime', 'refundTime']);
const REFUND_STATUSES: Readonly<Partial<Record<string, string>>> = { S: 'SUCCESS', F: 'FAIL' };

const withResult = (fields: JsonObject, result: JsonObject): JsonObject => {
  const status = textOf(result, 'resultStatus');
  const refundStatus = REFUND_STATUSES[status];
  const stated = Object.entries(fields).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
    if (status !== 'S' && OF_SUCCESS.has(name)) return [];
    if (name === 'refundStatus') return refundStatus === undefined ? [] : [[name, refundStatus]];
    return [[name, name === 'result' ? result : value]];
  });
  return Object.fromEntries(stated);
};

const WORDS: Readonly<Record<ResultStatus, string>> = {
  S: 'success.',
  F: 'A general business failure occurred.',
  U: 'The result is not final.',
};
const UNDER_WAY: Readonly<Record<string, string>> = {
  CAPTURE_RESULT: 'CAPTURE_IN_PROCESS',
  REFUND_RESULT: 'REFUND_IN_PROCESS',
};

const resultOf = (base: JsonObject, { status, resultCode }: Pick<Changes, 'status' | 'resultCode'>): JsonObject => {
  const result = base['result'] as JsonObject;
  const changed: JsonObject =
    status === undefined
      ? {}
      : { resultCode: codeOf(base, status), resultMessage: WORDS[status], resultStatus: status };
  return { ...result, ...changed, ...(resultCode === undefined ? {} : { resultCode }) };
};

const codeOf = (base: JsonObject, status: ResultStatus): string => {
  if (status === 'S') return 'SUCCESS';
  return status === 'F' ? 'PROCESS_FAIL' : (UNDER_WAY[textOf(base, 'notifyType')] ?? 'PAYMENT_IN_PROCESS');
};

const TIMES = [
  'paymentCreateTime',
  'paymentTime',
  'captureTime',
  'refundTime',
  'disputeTime',
  'disputeJudgedTime',
  'disputeAcceptTime',
] as const;
const HOUR = 3_600_000;
const ALERTED_BEFORE = 12 * HOUR;
const DEFENDED_WITHIN = 7 * 24 * HOUR;

const timesOf = (base: JsonObject, time: Date): JsonObject => {
  const left = typeOf(base) === 'DEFENSE_DUE_ALERT' ? ALERTED_BEFORE : DEFENDED_WITHIN;
  return {
    ...Object.fromEntries(TIMES.filter((name) => name in base).map((name) => [name, seconds(time)])),
    ...('defenseDueTime' in base ? { defenseDueTime: seconds(new Date(time.getTime() + left)) } : {}),
  };
};

/** ISO 8601 in UTC without fractions, as APO writes times. */
export const seconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** The same order for the same seed: Fisher-Yates over mulberry32. */
export const shuffled = <T>(items: readonly T[], seed: number): readonly T[] => {
  const random = mulberry32(seed);
  const drawn: T[] = [];
  for (const item of items) {
    const place = Math.floor(random() * (drawn.length + 1));
    const moved = drawn[place];
    if (moved !== undefined) drawn.push(moved);
    drawn[place] = item;
  }
  return drawn;
};

const mulberry32 = (seed: number): (() => number) => {
  let state = Math.trunc(seed);
  return () => {
    state = Math.trunc(state + 0x6d_2b_79_f5);
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
