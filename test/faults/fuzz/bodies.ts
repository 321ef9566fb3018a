import { readdirSync, readFileSync } from 'node:fs';
import { OUTCOMES, type Reading } from '../../../src/order/reading.ts';
import { captureResult, jpy, paymentPending, paymentResult } from '../../support/facts.ts';
import type { Random } from '../random.ts';

const SAMPLES = new URL('../../fixtures/samples/', import.meta.url);

let read: readonly Buffer[] | null = null;

/** What senders send: APO's own samples, ours, and some that are no JSON. */
export const genuineBodies = (): readonly Buffer[] =>
  (read ??= [
    ...readdirSync(SAMPLES)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => readFileSync(new URL(name, SAMPLES))),
    ...[
      paymentResult('S', {
        paymentAmount: jpy('100'),
        paymentTime: '2025-05-17T07:58:04.253+05:30',
        note: 'Ünïcode 💴',
      }),
      paymentPending({ rate: 1.5 }),
      captureResult('F', { captureId: 'C1', captureAmount: jpy('60') }),
      { notifyType: 'REFUND_RESULT', refundRequestId: 'F1' },
      { notifyType: 7 },
    ].map((fields) => Buffer.from(JSON.stringify(fields))),
    ...['', '{}', '[]', 'no JSON. None.', '253+05:30.{"paymentId":"P1"}', ' {"a":1.5}'].map((text) =>
      Buffer.from(text),
    ),
  ]);

const JSON_PARTS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '\\u0000',
  '\\ud800',
  'null',
  '1e400',
  '-0',
  '"paymentId"',
  '"result"',
  '"__proto__"',
];

/** A body with some bytes changed, some JSON put in, or a value replaced by one of another type. */
export const drawBody = (random: Random): Buffer => {
  let body = random.pick(genuineBodies());
  for (let changes = random.below(4); changes > 0; changes -= 1) {
    const at = random.below(body.length + 1);
    const length = random.pick([0, 0, 1, 8]);
    const inserted = random.chance(0.5) ? Buffer.from(random.pick(JSON_PARTS)) : random.bytes(random.below(4));
    body = Buffer.concat([body.subarray(0, at), inserted, body.subarray(at + length)]);
  }
  return random.chance(0.3) ? withOtherValue(body, random) : body;
};

const VALUES = [
  null,
  '',
  'S',
  'X'.repeat(65),
  '\u0000',
  '\ud800',
  0,
  -1,
  1.5,
  2 ** 60,
  true,
  [],
  {},
  [[]],
  { value: '1' },
];

const withOtherValue = (body: Buffer, random: Random): Buffer => {
  try {
    const json = JSON.parse(body.toString()) as Record<string, unknown>;
    const name = random.pick(Object.keys(json));
    return Buffer.from(JSON.stringify({ ...json, [name]: random.pick<unknown>(VALUES) }));
  } catch {
    return body;
  }
};

/** The JSON object that a body is; null where it is none. */
const objectOf = (body: Buffer): Readonly<Record<string, unknown>> | null => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

/** What is wrong with a reading of this body; null where nothing is. */
export const faultOf = (body: Buffer, { kind, outcome, problem, identifiers, statements }: Reading): string | null => {
  const json = objectOf(body);
  const type = json?.['notifyType'];
  if (!OUTCOMES.includes(outcome) || outcome === 'FAILED') return `a handler failed: ${String(problem)}`;
  if (json === null && (outcome !== 'MALFORMED' || identifiers.length > 0)) return 'what is no JSON object was read';
  if ((typeof type === 'number' || typeof type === 'object') && type !== null && outcome !== 'MALFORMED')
    return 'a notifyType that is no string was read';
  if ((outcome === 'MALFORMED') !== (problem !== null)) return 'a problem is stated where there is none, or is not';
  if (outcome !== 'APPLIED' && statements.length > 0) return 'a notification that is not applied states something';
  if (outcome === 'APPLIED' && kind === 'UNKNOWN') return 'a notification of no kind was applied';
  const invented = identifiers.find(({ name, value }) => json?.[name] !== value);
  return invented === undefined ? null : `the ${invented.name} that was read is not the one that is stated`;
};
