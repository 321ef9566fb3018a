import { createHash } from 'node:crypto';
import { readAnswer } from '../../src/handlers/inquiry.ts';
import { readBody } from '../../src/handlers/read.ts';
import { NO_SIBLINGS, type OrderEvidence } from '../../src/order/evidence.ts';
import type { Reading } from '../../src/order/reading.ts';
import type { Sourced, Statement } from '../../src/order/statement.ts';
import { CLIENT, type Fields } from '../support/facts.ts';
import { RECEIVED_AT } from './settings.ts';

/* What makes a fact of a body. */

/** One thing that may be known: it makes more of some evidence. */
export interface Fact {
  readonly name: string;
  readonly add: (evidence: OrderEvidence) => OrderEvidence;
}

export const NOTHING: OrderEvidence = {
  clientId: CLIENT,
  paymentId: 'P1',
  statements: [],
  registrations: [],
  problems: [],
  sharedIdentities: [],
  siblings: NO_SIBLINGS,
  newestAt: RECEIVED_AT,
  review: null,
};

/** What a notification states, as the receiver reads it. */
export const statementsIn = (fields: Fields): readonly Sourced<Statement>[] => {
  const body = JSON.stringify(fields);
  return sourced(readBody(Buffer.from(body)), body);
};

const sourced = ({ outcome, problem, statements }: Reading, bytes: string): readonly Sourced<Statement>[] => {
  if (outcome !== 'APPLIED') throw new Error(`${bytes} is ${outcome}: ${problem}`);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return statements.map((statement, place) => Object.assign(statement, { digest, place }));
};

const stated = (name: string, statements: readonly Sourced<Statement>[]): Fact => ({
  name,
  add: (evidence) => ({ ...evidence, statements: [...evidence.statements, ...statements] }),
});

export const notified = (name: string, fields: Fields): Fact => stated(name, statementsIn(fields));

/** What APO answers when it is asked about the payment. */
export const answered = (name: string, fields: Fields): Fact => {
  const body = JSON.stringify(fields);
  const reading = readAnswer(Buffer.from(body), { operation: 'inquiryPayment', paymentId: 'P1' });
  return stated(`inquiry: ${name}`, sourced(reading, `asked about P1: ${body}`));
};
