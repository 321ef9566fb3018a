import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type KeyPair, makeKeyPair as makeKeyPairOf } from './antom/key-pair.ts';
import { baseOf, type Changes, compose, composeNew, typeOf } from './commands/compose.ts';
import { isAcknowledged, post, type Posted, type SignedPost, signPost } from './commands/post.ts';
import { postUntilAcknowledged, RESENT_AFTER } from './commands/resend.ts';
import { findSample, SAMPLES } from './commands/samples.ts';
import { findSeries, SERIES, type SeriesChanges } from './commands/series.ts';
import type { JsonObject } from './order/statement.ts';

/*
 * APO's side of the wire, for the tests of a shop: what `paynotify send` makes, signs and posts. It needs Node alone,
 * no installed package. docs/consuming.md, *Test your shop*, has a whole test.
 *
 *   import { createSender, makeKeyPair, notification } from "paynotify/testing";
 *
 *   const { privateKey, publicKey } = await makeKeyPair();   // start paynotify with ANTOM_PUBLIC_KEY=publicKey
 *   const apo = createSender({ url: 'http://127.0.0.1:8080/payNotify', clientId: 'TEST_CLIENT', privateKey });
 *   const amount = { currency: 'JPY', value: '120' };
 *   const payment = notification('PAYMENT_RESULT', { paymentRequestId: 'PR_1', amount });
 *   const { acknowledged } = await apo.send(payment);        // true
 */

export { RESENT_AFTER };
export type { Changes, JsonObject, KeyPair, SeriesChanges, SignedPost };

const BITS = 2_048;

/** A key pair: `privateKey` to sign with, `publicKey` for `ANTOM_PUBLIC_KEY`. */
export const makeKeyPair = async (bits = BITS): Promise<KeyPair> => await makeKeyPairOf(bits);

/** The names that `sample` takes. */
export const SAMPLE_NAMES: readonly string[] = SAMPLES.map(({ name }) => name);
/** The names that `series` takes. */
export const SERIES_NAMES: readonly string[] = SERIES.map(({ name }) => name);

/**
 * A notification of this type as APO would send it now, with identifiers that are new each time, but for the changes.
 * The type is a `notifyType`, or of a dispute its `disputeNotificationType`; of a type that paynotify does not read
 * there is only its name. What `changes` cannot say is changed in the object itself.
 *
 *   notification('CAPTURE_RESULT', { paymentId, amount: { currency: 'JPY', value: '120' } })
 *   notification('REFUND_RESULT', { refundRequestId: 'FR1', status: 'F', resultCode: 'RISK_REJECT' })
 *   { ...notification('PAYMENT_RESULT'), paymentMethodType: 'GCASH' }
 */
export const notification = (type: string, changes: Changes = {}): JsonObject => {
  const base = baseOf(type);
  return composeNew(base, withResultWhereThereIsOne(base, changes));
};

/** A sample with its own identifiers and times, but for the changes. Throws where there is none of that name. */
export const sample = (name: string, changes: Changes = {}): JsonObject => {
  const found = findSample(name);
  if (found === null) throw new TypeError(`there is no sample ${name}, but ${SAMPLE_NAMES.join(', ')}`);
  return compose(found.notification, withResultWhereThereIsOne(found.notification, changes));
};

/** Notifications that belong together, made now, in the order in which APO sends them. Throws where there are none. */
export const series = (name: string, changes: SeriesChanges = {}): readonly JsonObject[] => {
  const found = findSeries(name);
  if (found === null) throw new TypeError(`there is no series ${name}, but ${SERIES_NAMES.join(', ')}`);
  return found.compose({ time: new Date(), ...changes });
};

const withResultWhereThereIsOne = (base: JsonObject, changes: Changes): Changes => {
  if ('result' in base || (changes.status ?? changes.resultCode) === undefined) return changes;
  throw new TypeError(`${typeOf(base)} has no result: the type of a dispute says what became of it`);
};

export interface SenderOptions {
  /** The notification URL. Its path is what is signed. */
  readonly url: string | URL;
  readonly clientId: string;
  /** PEM, as `makeKeyPair` makes it. */
  readonly privateKey: string | KeyObject;
  /** '1' unless given. */
  readonly keyVersion?: string;
}

export interface SignOptions {
  /** The present time unless given. */
  readonly requestTime?: string;
  /** Signs something else than is sent. */
  readonly forged?: boolean;
}

export interface SendOptions extends SignOptions {
  /** How long an answer is waited for: 10,000 unless given. */
  readonly timeoutMs?: number;
}

export interface ResendOptions extends SendOptions {
  /** So many times faster than APO, whose last resend is a day after the first send: 100,000 makes that a second. */
  readonly faster: number;
}

/** What came of a send. */
export interface Sent {
  /** Whether it was answered with APO's acknowledgement. */
  readonly acknowledged: boolean;
  /** Null where no answer came; `problem` then says why. */
  readonly answer: { readonly status: number; readonly body: string } | null;
  readonly problem: string | null;
}

/** The fields of a notification, which become compact JSON, or bytes that are sent as they are. */
export type Body = JsonObject | string | Uint8Array;

export interface Sender {
  /** What `send` would post, for a test that posts by itself: URL, headers, body. */
  readonly sign: (body: Body, options?: SignOptions) => SignedPost;
  /** Signs and posts. An answer other than the acknowledgement is no error, and none at all neither. */
  readonly send: (body: Body, options?: SendOptions) => Promise<Sent>;
  /**
   * The same, again and again on APO's schedule until it is acknowledged or was sent 8 times: what came of each send.
   * Every send is the same request, byte for byte.
   */
  readonly resend: (body: Body, options: ResendOptions) => Promise<readonly Sent[]>;
}

const WAITED_FOR_MS = 10_000;

/** APO as one client of it knows it. Throws where the private key is none. */
export const createSender = ({ url, clientId, privateKey, keyVersion = '1' }: SenderOptions): Sender => {
  const target = new URL(url);
  const key = typeof privateKey === 'string' ? createPrivateKey(privateKey) : privateKey;
  const sign = (body: Body, { requestTime, forged = false }: SignOptions = {}): SignedPost =>
    signPost(target, bytesOf(body), { clientId, key, keyVersion, breaks: forged, requestTime });
  return {
    sign,
    send: async (body, { timeoutMs = WAITED_FOR_MS, ...options } = {}) =>
      sentOf(await post(sign(body, options), timeoutMs)),
    resend: async (body, { timeoutMs = WAITED_FOR_MS, faster, ...options }) => {
      const sends = await postUntilAcknowledged(sign(body, options), { timeoutMs, faster });
      return sends.map(sentOf);
    },
  };
};

const bytesOf = (body: Body): Buffer =>
  body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

const sentOf = (posted: Posted): Sent => {
  const { answer, problem } = posted;
  return {
    acknowledged: isAcknowledged(posted),
    answer: answer === null ? null : { status: answer.status, body: answer.body },
    problem,
  };
};
