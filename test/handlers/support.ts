import type { Kind, Reading } from '../../src/order/reading.ts';
import type { CaptureStatement, PaymentStatement, Statement } from '../../src/order/statement.ts';
import { captureResult, type Fields, jpy, paymentResult, receive } from '../support/facts.ts';

export const PAYMENT = paymentResult('S', { paymentAmount: jpy('120'), paymentTime: '2025-05-17T00:58:04-07:00' });
export const CAPTURE = captureResult('S', { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') });

/** Receives the body with a real signature. */
export const readingOf = (body: string | Uint8Array): Reading => receive(body).reading;
export const read = (fields: Fields): Reading => readingOf(JSON.stringify(fields));

/** The only statement of a notification that is applied. */
export const statementIn = ({ outcome, statements }: Reading): Statement => {
  const [statement, ...others] = statements;
  if (outcome !== 'APPLIED' || statement === undefined || others.length > 0)
    throw new Error(`${outcome} with ${statements.length} statements`);
  return statement;
};

export const paymentIn = (reading: Reading): PaymentStatement => {
  const statement = statementIn(reading);
  if (statement.about !== 'payment') throw new Error(`a statement about a ${statement.about}`);
  return statement;
};

export const captureIn = (reading: Reading): CaptureStatement => {
  const statement = statementIn(reading);
  if (statement.about !== 'capture') throw new Error(`a statement about a ${statement.about}`);
  return statement;
};

export const identifiersIn = ({ identifiers }: Reading): Readonly<Record<string, string>> =>
  Object.fromEntries(identifiers.map(({ name, value }) => [name, value]));

/** The reading of a notification of which nothing more was understood. */
export const malformed = (kind: Kind, problem: string, identifiers: Readonly<Record<string, string>> = {}) => ({
  kind,
  outcome: 'MALFORMED',
  problem,
  identifiers: Object.entries(identifiers).map(([name, value]) => ({ name, value })),
  statements: [],
});

export const PAYMENT_IDS = { paymentId: 'P1', paymentRequestId: 'R1' };
export const CAPTURE_IDS = { paymentId: 'P1', captureId: 'C1', captureRequestId: 'Q1' };

export const without = <T>(fields: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));

export const DEEP = 100_000;

/** The text of the payment with one more member, written as it is: what JSON.stringify would not write. */
export const withMember = (member: string): string => JSON.stringify(PAYMENT).replace(/\}$/, `,${member}}`);
