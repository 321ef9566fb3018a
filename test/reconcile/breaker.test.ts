import { expect, test } from '@jest/globals';
import pino from 'pino';
import { createBreaker } from '../../src/reconcile/breaker.ts';
import { reconcileReport } from '../../src/reconcile/report.ts';

const SECOND = 1_000;
const WELL = { trouble: null } as const;
const AWAY = { trouble: 'outage' } as const;
const REFUSED = { trouble: 'configuration' } as const;

test('three failures in a row open it, each failure after a pause keeps it open for longer, and an answer closes it', () => {
  const breaker = createBreaker();
  expect([AWAY, AWAY, WELL, AWAY, AWAY].map((one) => breaker.note(one, 0))).toEqual([null, null, null, null, null]);
  expect(breaker.openUntil()).toBeNull();
  expect(breaker.note(AWAY, 0)).toBe('opens');
  const opened: (number | null)[] = [breaker.openUntil()];
  for (let pauses = 0; pauses < 4; pauses += 1) {
    const now = breaker.openUntil() ?? 0;
    expect(breaker.note(AWAY, now)).toBe('stays open');
    opened.push((breaker.openUntil() ?? 0) - now);
  }
  expect(opened).toEqual([30, 60, 120, 300, 300].map((seconds) => seconds * SECOND));
  expect(breaker.note(WELL, breaker.openUntil() ?? 0)).toBe('closes');
  expect(breaker.openUntil()).toBeNull();
  // Three again, and the first pause again.
  expect([AWAY, AWAY, AWAY].map((one) => breaker.note(one, 0))).toEqual([null, null, 'opens']);
  expect(breaker.openUntil()).toBe(30 * SECOND);
});

test('what was under way when it opened changes nothing but by an answer', () => {
  const breaker = createBreaker();
  for (const one of [AWAY, AWAY, AWAY]) breaker.note(one, 0);
  expect(breaker.note(AWAY, 29 * SECOND)).toBeNull();
  expect(breaker.openUntil()).toBe(30 * SECOND);
  expect(breaker.note(WELL, 29 * SECOND)).toBe('closes');
});

test('it says since when it is open, however often it was tried meanwhile', () => {
  const breaker = createBreaker();
  for (const at of [1, 2, 3]) breaker.note(AWAY, at * SECOND);
  expect(breaker.openSince()).toBe(3 * SECOND);
  expect(breaker.note(AWAY, 60 * SECOND)).toBe('stays open');
  expect(breaker.openSince()).toBe(3 * SECOND);
  breaker.note(WELL, 200 * SECOND);
  expect(breaker.openSince()).toBeNull();
});

test('one refusal of the configuration opens it for ten minutes, and each time it is said', () => {
  const breaker = createBreaker();
  expect(breaker.note(REFUSED, 0)).toBe('opens');
  expect(breaker.openUntil()).toBe(600 * SECOND);
  expect(breaker.note(REFUSED, 600 * SECOND)).toBe('stays open');
  expect(breaker.openUntil()).toBe(1_200 * SECOND);
});

test('an outage is a warning at first, and while it lasts an error each hour', () => {
  const said: string[] = [];
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line) as { readonly level: number; readonly msg: string };
    said.push(`${pino.levels.labels[level]}: ${msg}`);
  };
  const report = reconcileReport(pino({ base: null }, { write }));
  const breaker = createBreaker();
  const key = { clientId: 'T_client', about: 'order', id: 'P1' } as const;
  const saidUntil = (now: number, trouble: typeof AWAY | typeof WELL = AWAY): readonly string[] => {
    said.length = 0;
    for (let at = Math.max(0, breaker.openUntil() ?? 0); at <= now; at = breaker.openUntil() ?? at + 1) {
      const turn = breaker.note(trouble, at);
      const inquired = {
        ...trouble,
        code: 'NO_ANSWER',
        outcome: 'UNKNOWN',
        isNotFound: false,
        isRefused: false,
        recorded: null,
      } as const;
      if (turn !== null) report.turned(turn, { kind: 'made', key, why: 'inquire', inquired });
      if (trouble === WELL) break;
    }
    return said;
  };
  const lasts =
    'error: APO has not answered inquiries for over an hour: payments whose notifications do not come stay as they are; it is tried again';
  expect(saidUntil(3_599 * SECOND)).toEqual([
    'warn: inquiries are held back: APO does not answer them; it is tried again',
  ]);
  expect(saidUntil(7_000 * SECOND)).toEqual([lasts]);
  expect(saidUntil(86_400 * SECOND)).toHaveLength(22);
  expect(new Set(said)).toEqual(new Set([lasts]));
  expect(saidUntil(Infinity, WELL)).toEqual(['info: APO answers inquiries again']);
});
