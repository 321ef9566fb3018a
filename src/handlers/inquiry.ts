import { hash } from 'node:crypto';
import { z } from 'zod';
import type { VerifiedAnswer } from '../antom/answer.ts';
import type { Asked } from '../order/asked.ts';
import type { Identifier, IdentifierName } from '../order/identifier.ts';
import type { ReadInquiry, Reading } from '../order/reading.ts';
import type { JsonObject, Statement } from '../order/statement.ts';
import { isObject, result, toleratedText, toleratedTime } from './fields.ts';
import { detailsOf, paymentFields } from './payment.ts';
import { describeIssue, must, toProblem } from './problem.ts';
import { decode, faultOf, identifiersOf } from './read.ts';
import { isNamed, NAMELESS, refundFields, stateRefund } from './refund.ts';
import { identifiersIn, stateTransaction, statusOf, transactions } from './transactions.ts';

/*
 * Answers to what we asked APO. An answer is of the kind INQUIRY by where it comes from, never by what its body holds:
 * it is in no table of notifications, and a notification that looks like one is read as a notification.
 */

/** The only way to a ReadInquiry. Never throws. */
export const readInquiry = (answer: VerifiedAnswer, asked: Asked): ReadInquiry => {
  const { clientId, path, responseTime, signature, body } = answer;
  const raw = { method: 'POST', target: path, requestTime: responseTime, signature, body };
  return { clientId, asked, raw, reading: readAnswer(body, asked) } as unknown as ReadInquiry;
};

/** Reads the body of a verified answer, just received or long since stored. Never throws. */
export const readAnswer = (body: Uint8Array, asked: Asked): Reading => {
  const { json, problem } = decode(body);
  if (json === null) return { ...INQUIRY, outcome: 'MALFORMED', problem, identifiers: identifiersAsked(asked) };
  const identifiers = allIdentifiers(json, asked);
  if (problem !== null) return { ...INQUIRY, outcome: 'MALFORMED', problem, identifiers };
  try {
    const content = readJson(json, asked);
    if (typeof content === 'string') return { ...INQUIRY, outcome: 'MALFORMED', problem: content, identifiers };
    const answer = hash('sha256', body, 'hex');
    const statements = content.map((statement) => Object.assign(statement, { answer }));
    return { ...INQUIRY, outcome: 'APPLIED', problem: null, identifiers, statements };
  } catch (error) {
    return { ...INQUIRY, outcome: 'FAILED', problem: faultOf(error), identifiers };
  }
};

const INQUIRY = { kind: 'INQUIRY', statements: [] } as const;

/** What the answer states, or the problem. */
const readJson = (json: JsonObject, { operation }: Asked): readonly Statement[] | string => {
  const call = callOf.safeParse(json, { error: describeIssue });
  if (!call.success) return toProblem(call.error.issues);
  // Nothing but the result is said of what was asked about.
  if (call.data.result.resultStatus !== 'S') return [{ about: 'inquiry', result: call.data.result }];
  return READERS[operation](json);
};

/** `result` is of the call: what became of the payment, or the refund, is said beside it. */
const callOf = z.compile(z.object({ result }));

type Read = (json: JsonObject) => readonly Statement[] | string;

const reader = <Fields>(schema: z.ZodType<Fields>, state: (fields: Fields) => readonly Statement[]): Read => {
  const compiled = z.compile(schema);
  return (json) => {
    const read = compiled.safeParse(json, { error: describeIssue });
    return read.success ? state(read.data) : toProblem(read.error.issues);
  };
};

/** Required; an open set. */
const status = z.string(must('be a string')).min(1, { error: 'is missing' });

const payment = paymentFields.omit({ result: true }).extend({
  paymentStatus: status,
  paymentResultCode: toleratedText,
  paymentResultMessage: toleratedText,
  // As a page of 2024 spells it.
  authExpirytime: toleratedTime,
  transactions,
});

const statePaymentAsked = (fields: z.infer<typeof payment>): readonly Statement[] => {
  const { paymentStatus, paymentId } = fields;
  const details = { ...detailsOf(fields), authExpiryTime: fields.authExpiryTime ?? fields.authExpirytime };
  const stated: Statement =
    paymentStatus === 'CANCELLED'
      ? { about: 'cancelled payment', ...details }
      : {
          about: 'payment',
          pending: false,
          result: {
            resultStatus: statusOf(paymentStatus),
            resultCode: fields.paymentResultCode ?? null,
            resultMessage: fields.paymentResultMessage ?? null,
          },
          ...details,
        };
  return [stated, ...fields.transactions.map((one) => stateTransaction(one, paymentId))];
};

// In this order problems name the fields.
const { refundAmount, refundTime, result: _result, ...refundIds } = refundFields.shape;
const refund = z.object({ ...refundIds, refundStatus: status, refundAmount, refundTime }).refine(isNamed, NAMELESS);

/** The code of the call is not the refund's. */
const stateRefundAsked = (fields: z.infer<typeof refund>): readonly Statement[] => [
  stateRefund(fields, { resultStatus: statusOf(fields.refundStatus), resultCode: null, resultMessage: null }),
];

const READERS: Readonly<Record<Asked['operation'], Read>> = {
  inquiryPayment: reader(payment, statePaymentAsked),
  inquiryRefund: reader(refund, stateRefundAsked),
};

/**
 * What the answer itself states, and what was asked. A call that did not succeed names no payment: an order is not made
 * by asking for it.
 */
const allIdentifiers = (json: JsonObject, asked: Asked): readonly Identifier[] => {
  const said = json['result'];
  const isRefused = isObject(said) && (said['resultStatus'] === 'F' || said['resultStatus'] === 'U');
  const stated = isRefused ? [] : [...identifiersOf(json), ...identifiersIn(json)];
  const all = [...stated, ...identifiersAsked(asked)];
  return [...new Map(all.map((one) => [`${one.name} ${one.value}`, one])).values()];
};

/** Without the `paymentId`: what an answer is about is what it names itself. */
const identifiersAsked = ({ operation: _operation, ...ids }: Asked): readonly Identifier[] =>
  Object.entries(ids).flatMap(([name, value]) =>
    name === 'paymentId' ? [] : [{ name: name as IdentifierName, value }],
  );
