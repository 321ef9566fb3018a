import { randomInt } from 'node:crypto';
import type { AmountText } from '../order/amount.ts';
import type { Json, JsonObject, ResultStatus } from '../order/statement.ts';
import { findSample, textOf } from './samples.ts';

/** What is to differ from a sample. */
export interface Changes {
  readonly paymentId?: string | undefined;
  readonly paymentRequestId?: string | undefined;
  readonly captureId?: string | undefined;
  readonly captureRequestId?: string | undefined;
  readonly amount?: AmountText | undefined;
  readonly status?: ResultStatus | undefined;
  readonly resultCode?: string | undefined;
  /** Stands for every time that the sample states. */
  readonly time?: Date | undefined;
}

const PAYMENT = 'payment-card';
const BASES: Readonly<Record<string, string>> = {
  PAYMENT_RESULT: PAYMENT,
  PAYMENT_PENDING: 'payment-pending',
  CAPTURE_RESULT: 'capture',
};

/** The sample that a kind of notification is written after; of an unknown kind there is only its name. */
export const baseOf = (notifyType: string): JsonObject => {
  const sample = Object.hasOwn(BASES, notifyType) ? findSample(BASES[notifyType] ?? PAYMENT) : null;
  return (
    sample?.notification ?? {
      notifyType,
      result: { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' },
    }
  );
};

const isCapture = (base: JsonObject): boolean => base['notifyType'] === 'CAPTURE_RESULT';

/** Identifiers that nobody has used, where the base has them: a date and random digits, as APO's look. */
export const freshIds = (base: JsonObject): Changes => ({
  ...('paymentId' in base ? { paymentId: freshId() } : {}),
  ...('paymentRequestId' in base ? { paymentRequestId: freshId() } : {}),
  ...(isCapture(base) ? { captureId: freshId(), captureRequestId: freshId() } : {}),
});

const DIGITS = 12;
const digits = (): string => String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
const freshId = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '') + digits() + digits();

/** A notification like the base but for the changes. */
export const compose = (base: JsonObject, changes: Changes): JsonObject => {
  const { amount, status, resultCode, time, ...ids } = changes;
  const given = Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined)) as Record<string, string>;
  const result = resultOf(base, { status, resultCode });
  const stated: JsonObject = {
    ...base,
    ...given,
    ...(amount === undefined ? {} : { [isCapture(base) ? 'captureAmount' : 'paymentAmount']: { ...amount } }),
    ...(time === undefined ? {} : timesOf(base, time)),
    result,
  };
  // A payment's time is that of its success.
  return 'paymentTime' in stated && result['resultStatus'] !== 'S' ? without(stated, 'paymentTime') : stated;
};

const without = (fields: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));

const CODES: Readonly<
  Record<ResultStatus, { readonly payment: string; readonly capture: string; readonly words: string }>
> = {
  S: { payment: 'SUCCESS', capture: 'SUCCESS', words: 'success.' },
  F: { payment: 'PROCESS_FAIL', capture: 'PROCESS_FAIL', words: 'A general business failure occurred.' },
  U: { payment: 'PAYMENT_IN_PROCESS', capture: 'CAPTURE_IN_PROCESS', words: 'The result is not final.' },
};

const resultOf = (base: JsonObject, { status, resultCode }: Pick<Changes, 'status' | 'resultCode'>): JsonObject => {
  const result = base['result'] as JsonObject;
  const changed = status === undefined ? {} : changedResult(isCapture(base), status);
  return { ...result, ...changed, ...(resultCode === undefined ? {} : { resultCode }) };
};

const changedResult = (capture: boolean, status: ResultStatus): JsonObject => {
  const { payment, capture: ofCapture, words } = CODES[status];
  return { resultCode: capture ? ofCapture : payment, resultMessage: words, resultStatus: status };
};

const TIMES = ['paymentCreateTime', 'paymentTime', 'captureTime'] as const;
const timesOf = (base: JsonObject, time: Date): Record<string, Json> =>
  Object.fromEntries(TIMES.filter((name) => name in base).map((name) => [name, seconds(time)]));

/** ISO 8601 in UTC without fractions, as APO writes times. */
export const seconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** A payment and the captures that together make up its amount: at most so many, each of at least one unit. */
export const composeSeries = (
  changes: Changes & { readonly amount: AmountText },
  captures: number,
): readonly JsonObject[] => {
  const base = baseOf('PAYMENT_RESULT');
  const payment = compose(base, { ...freshIds(base), ...changes });
  const captureBase = baseOf('CAPTURE_RESULT');
  const parts = split(BigInt(changes.amount.value), captures).map((value) =>
    compose(captureBase, {
      ...freshIds(captureBase),
      paymentId: textOf(payment, 'paymentId'),
      amount: { currency: changes.amount.currency, value: String(value) },
      time: changes.time,
    }),
  );
  return [payment, ...parts];
};

const split = (whole: bigint, parts: number): readonly bigint[] => {
  const part = whole / BigInt(parts);
  if (part === 0n) return [whole];
  return Array.from({ length: parts }, (_, index) => (index === parts - 1 ? whole - part * BigInt(parts - 1) : part));
};

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
