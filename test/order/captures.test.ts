import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { captureResult, type Fields, jpy, paymentResult, result } from '../support/facts.ts';
import { orderOf } from './core.ts';
import { permutations } from './world.ts';

const AUTHORIZED = paymentResult('S', { paymentAmount: jpy('120') });

/** A successful capture of 60 under the ids given. */
const sixty = (ids: Fields): Fields => captureResult('S', { captureAmount: jpy('60'), ...ids });

const idsOf = (notifications: readonly Fields[]) =>
  orderOf([AUTHORIZED, ...notifications]).captures.map(({ captureId, captureRequestId }) => [
    captureId,
    captureRequestId,
  ]);

describe('two notifications are one capture', () => {
  test('where they share the captureId', () => {
    expect(idsOf([sixty({ captureId: 'C1' }), sixty({ captureId: 'C1', captureRequestId: 'Q1' })])).toEqual([
      ['C1', 'Q1'],
    ]);
  });

  test('where they share the captureRequestId', () => {
    expect(idsOf([sixty({ captureRequestId: 'Q1' }), sixty({ captureId: 'C1', captureRequestId: 'Q1' })])).toEqual([
      ['C1', 'Q1'],
    ]);
  });

  test('not where a captureId equals a captureRequestId', () => {
    expect(idsOf([sixty({ captureId: 'X' }), sixty({ captureRequestId: 'X' })])).toEqual([
      [null, 'X'],
      ['X', null],
    ]);
  });

  test('not where both lack the same id', () => {
    expect(idsOf([sixty({ captureId: 'C1' }), sixty({ captureId: 'C2' })])).toEqual([
      ['C1', null],
      ['C2', null],
    ]);
  });
});

describe('a notification that names both joins what was apart', () => {
  const apart = [sixty({ captureId: 'C1' }), sixty({ captureRequestId: 'Q1' })];
  const joint = sixty({ captureId: 'C1', captureRequestId: 'Q1' });

  test.each(permutations([...apart, joint]).map((notifications) => ({ notifications })))(
    'in any order of arrival, so that the capture counts once (%#)',
    ({ notifications }) => {
      const order = orderOf([AUTHORIZED, ...notifications]);
      expect(order.captures.map(({ captureId, captureRequestId }) => [captureId, captureRequestId])).toEqual([
        ['C1', 'Q1'],
      ]);
      expect(order.capturedAmount).toEqual(jpy('60'));
      expect([order.status, order.fulfillable, order.attention]).toEqual(['PARTIALLY_CAPTURED', false, []]);
    },
  );

  test('through a chain of ids', () => {
    const links = [
      ['C1', 'Q1'],
      ['C2', 'Q1'],
      ['C2', 'Q2'],
      ['C3', 'Q2'],
      ['C3', 'Q3'],
    ];
    const chain = links.map(([captureId, captureRequestId]) => sixty({ captureId, captureRequestId }));
    const differing = permutations(chain).filter((notifications) => idsOf(notifications).length !== 1);
    expect(differing).toEqual([]);
    expect(orderOf([AUTHORIZED, ...chain]).attention).toEqual(['CONTRADICTORY_IDENTITY']);
  });
});

const named = (captureId: string, captureRequestId: string): Fields =>
  captureResult('S', { captureId, captureRequestId, acquirerReferenceNo: `${captureId} ${captureRequestId}` });

const advice = (code: string) =>
  orderOf([captureResult('F', { captureId: 'C1', result: result('F', code) })]).captures.map(
    ({ furtherAction }) => furtherAction,
  );

describe('of one capture', () => {
  const under = { captureId: 'C1', captureRequestId: 'Q1', captureAmount: jpy('120') };

  test.each([
    ['S beats F', ['F', 'S'] as const, 'SUCCEEDED'],
    ['S beats U', ['U', 'S'] as const, 'SUCCEEDED'],
    ['F beats U', ['U', 'F'] as const, 'FAILED'],
    ['U stands alone', ['U'] as const, 'PROCESSING'],
  ])('%s', (_, statuses, expected) => {
    const order = orderOf(statuses.map((status) => captureResult(status, under)));
    expect(order.captures.map(({ status }) => status)).toEqual([expected]);
  });

  test('success after it was under way is no contradiction', () => {
    const order = orderOf([AUTHORIZED, captureResult('U', under), captureResult('S', under)]);
    expect([order.status, order.fulfillable, order.attention]).toEqual(['CAPTURED', true, []]);
  });

  test('success and failure contradict each other, and neither later time settles it', () => {
    const succeeded = captureResult('S', { ...under, captureTime: '2025-05-17T00:00:00Z' });
    const failed = captureResult('F', { ...under, captureTime: '2025-05-18T00:00:00Z' });
    const order = orderOf([AUTHORIZED, succeeded, failed]);
    expect(order.captures[0]?.result.resultStatus).toBe('S');
    expect([order.status, order.fulfillable, order.attention]).toEqual(['CAPTURED', false, ['CONTRADICTORY_RESULT']]);
  });

  test('two times never contradict each other: the later one is shown', () => {
    const order = orderOf([
      AUTHORIZED,
      captureResult('S', { ...under, captureTime: '2025-03-16T19:27:19-07:00' }),
      captureResult('S', { ...under, captureTime: '2025-03-17T02:27:17Z' }),
    ]);
    expect(order.captures[0]?.captureTime).toBe('2025-03-16T19:27:19-07:00');
    expect([order.fulfillable, order.attention]).toEqual([true, []]);
  });

  test('an unreadable time is earlier than any', () => {
    const order = orderOf([
      captureResult('S', { ...under, captureTime: '2099-01-01T00:00:00', acquirerReferenceNo: 'unreadable' }),
      captureResult('S', { ...under, captureTime: '1970-01-01T00:00:00Z', acquirerReferenceNo: 'readable' }),
    ]);
    expect(order.captures[0]?.acquirerReferenceNo).toBe('readable');
  });

  test('what the first one leaves out is taken from the next', () => {
    const order = orderOf([
      captureResult('F', { captureId: 'C1', captureTime: '2025-05-18T00:00:00Z', acquirerReferenceNo: 'of F' }),
      captureResult('S', { captureId: 'C1', acquirerInfo: { acquirerName: 'ANTOM' } }),
    ]);
    expect(order.captures[0]).toMatchObject({
      captureTime: '2025-05-18T00:00:00Z',
      acquirerReferenceNo: 'of F',
      acquirerInfo: { acquirerName: 'ANTOM' },
      result: { resultStatus: 'S' },
    });
  });

  test('at one time the greater SHA-256 speaks, of two ids too', () => {
    const both = [named('C1', 'Q1'), named('C1', 'Q2'), named('C1', 'Q3')];
    const [greatest] = both
      .map((fields) => ({ fields, digest: createHash('sha256').update(JSON.stringify(fields)).digest('hex') }))
      .sort((a, b) => (a.digest < b.digest ? 1 : -1));
    const [capture] = orderOf(both).captures;
    expect(capture?.acquirerReferenceNo).toBe(greatest?.fields['acquirerReferenceNo']);
    expect(capture?.captureRequestId).toBe(greatest?.fields['captureRequestId']);
  });

  test('the advice is that of the code shown, and none for an unknown code', () => {
    expect(advice('AUTH_EXPIRED')).toEqual(['Use a new _paymentRequestId_ to initiate a payment.']);
    expect(advice('A_NEW_CODE')).toEqual([null]);
    expect(advice('constructor')).toEqual([null]);
  });
});

describe('captures', () => {
  test('sort by captureId, then captureRequestId, by code unit, a missing one first', () => {
    const ids = [
      ['b', 'Q1'],
      ['B', 'Q9'],
      [null, 'Q5'],
      ['a', 'Q4'],
      [null, 'Q2'],
      ['A10', null],
    ];
    expect(idsOf(ids.map(([captureId, captureRequestId]) => sixty({ captureId, captureRequestId })))).toEqual([
      [null, 'Q2'],
      [null, 'Q5'],
      ['A10', null],
      ['B', 'Q9'],
      ['a', 'Q4'],
      ['b', 'Q1'],
    ]);
  });

  test('in parts come to the whole', () => {
    const parts = [
      sixty({ captureId: 'C1', captureRequestId: 'Q1' }),
      sixty({ captureId: 'C2', captureRequestId: 'Q2' }),
    ];
    expect(orderOf([AUTHORIZED, parts[0] ?? {}]).status).toBe('PARTIALLY_CAPTURED');
    expect(orderOf([AUTHORIZED, ...parts])).toMatchObject({ status: 'CAPTURED', fulfillable: true, attention: [] });
  });

  test('name no paymentRequestId, whatever they carry', () => {
    const order = orderOf([sixty({ captureId: 'C1', captureRequestId: 'R1', paymentRequestId: 'R1' })]);
    expect([order.paymentRequestId, order.expectedAmount]).toEqual([null, null]);
  });
});
