import { sign } from 'node:crypto';
import { verifyAnswer } from '../../src/antom/answer.ts';
import { readKey } from '../../src/antom/keys.ts';
import { type Trust, type VerifiedNotification, verify } from '../../src/antom/signature.ts';
import type { Handlers } from '../../src/handlers/handler.ts';
import { readNotification } from '../../src/handlers/read.ts';
import { readInquiry } from '../../src/handlers/inquiry.ts';
import type { Asked } from '../../src/order/asked.ts';
import type { ReadInquiry, ReadNotification } from '../../src/order/reading.ts';
import { nextKeyPair } from './keys.ts';

/** A notification's JSON before it is written as text; fields as APO names them, well-formed or not. */
export type Fields = Readonly<Record<string, unknown>>;

export const CLIENT = 'T_client';

const PATH = '/payNotify';
const REQUEST_TIME = '2025-05-17T07:58:04Z';

const { privateKey, publicKey } = nextKeyPair();
const KEY = readKey(publicKey.export({ format: 'pem', type: 'spki' }));

const trustIn = (clientId: string): Trust => ({ keys: new Map([[clientId, [KEY]]]), publicUris: [] });
/** Under which what CLIENT sends here verifies. */
export const TRUST = trustIn(CLIENT);

/** Signing is the slow part of a test (a millisecond), and the same body is often received again. */
const verified = new Map<string, VerifiedNotification>();

/**
 * Receives a body as the listener does: a signed request, verified, then read; by the built-in handlers unless a test
 * brings its own.
 */
export const receive = (
  body: string | Uint8Array,
  { clientId = CLIENT, handlers }: { readonly clientId?: string; readonly handlers?: Handlers | undefined } = {},
): ReadNotification => {
  const bytes = Buffer.from(body);
  const name = `${clientId} ${bytes.toString('latin1')}`;
  const notification = verified.get(name) ?? verifySigned(bytes, clientId);
  verified.set(name, notification);
  return readNotification(notification, handlers);
};

const verifySigned = (body: Buffer, clientId: string): VerifiedNotification => {
  const verification = verify(
    {
      method: 'POST',
      target: PATH,
      clientIds: [clientId],
      requestTimes: [REQUEST_TIME],
      signatures: [signedBy(PATH, { clientId, time: REQUEST_TIME, body })],
      body,
    },
    trustIn(clientId),
  );
  if (!verification.verified) throw new Error(`the test's own signature is refused: ${verification.reason}`);
  return verification.notification;
};

const signedBy = (path: string, { clientId, time, body }: { clientId: string; time: string; body: Buffer }): string => {
  const signed = Buffer.concat([Buffer.from(`POST ${path}\n${clientId}.${time}.`), body]);
  const signature = encodeURIComponent(sign('sha256', signed, privateKey).toString('base64'));
  return `algorithm=RSA256,keyVersion=1,signature=${signature}`;
};

/** Answers as APO does: a signed response, verified, then read. */
export const answerTo = (asked: Asked, body: string | Uint8Array, clientId: string = CLIENT): ReadInquiry => {
  const bytes = Buffer.from(body);
  const path = `/ams/api/v1/payments/${asked.operation}`;
  const answer = verifyAnswer(
    {
      path,
      clientIds: [clientId],
      responseTimes: [REQUEST_TIME],
      signatures: [signedBy(path, { clientId, time: REQUEST_TIME, body: bytes })],
      body: bytes,
    },
    trustIn(clientId).keys,
  );
  if (answer === null) throw new Error("the test's own signature is refused");
  return readInquiry(answer, asked);
};

type Status = 'S' | 'F' | 'U';

/** `resultStatus`, and the code that stands for it where a test does not care. */
export const result = (resultStatus: Status, resultCode?: string): Fields => ({
  resultStatus,
  resultCode: resultCode ?? { S: 'SUCCESS', F: 'PROCESS_FAIL', U: 'PAYMENT_IN_PROCESS' }[resultStatus],
  resultMessage: 'as reported',
});

export const amount = (currency: string, value: string): Fields => ({ currency, value });
export const jpy = (value: string): Fields => amount('JPY', value);

/** A PAYMENT_RESULT of the payment P1 under R1, without an amount or a time. */
export const paymentResult = (status: Status, fields: Fields = {}): Fields => ({
  notifyType: 'PAYMENT_RESULT',
  result: result(status),
  paymentId: 'P1',
  paymentRequestId: 'R1',
  ...fields,
});

export const paymentPending = (fields: Fields = {}): Fields => ({
  ...paymentResult('S', fields),
  notifyType: 'PAYMENT_PENDING',
});

/** A CAPTURE_RESULT of the payment P1; the caller names the capture. */
export const captureResult = (status: Status, fields: Fields): Fields => ({
  notifyType: 'CAPTURE_RESULT',
  result: result(status),
  paymentId: 'P1',
  ...fields,
});

/** A REFUND_RESULT; the caller names the refund, and the payment where it is stated, which is seldom. */
export const refundResult = (status: Status, fields: Fields): Fields => ({
  notifyType: 'REFUND_RESULT',
  result: result(status),
  ...fields,
});

/** Four notifications of one payment; every tenth payment shares its paymentRequestId with the one before. */
export const notificationsOfPayment = (number: number): readonly Fields[] => {
  const paymentId = `P${number}`;
  const paymentRequestId = `R${number % 10 === 9 ? number - 1 : number}`;
  return [
    paymentPending({ paymentId, paymentRequestId, paymentAmount: jpy('100') }),
    paymentResult('S', { paymentId, paymentRequestId, paymentAmount: jpy('100') }),
    captureResult('S', { paymentId, captureId: `C${number}a`, captureAmount: jpy('60') }),
    captureResult('S', { paymentId, captureId: `C${number}b`, captureAmount: jpy('40') }),
  ];
};

export const shuffled = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** A transaction that an inquiry shows. */
export const transaction = (transactionType: string, status: Status, fields: Fields): Fields => ({
  transactionType,
  transactionStatus: { S: 'SUCCESS', F: 'FAIL', U: 'PROCESSING' }[status],
  transactionResult: result(status),
  ...fields,
});

/** What APO answers about the payment P1 under R1, without an amount or a time. */
export const paymentAnswer = (paymentStatus: string, fields: Fields = {}): Fields => ({
  result: result('S'),
  paymentStatus,
  paymentId: 'P1',
  paymentRequestId: 'R1',
  ...fields,
});
