import { expect, test } from '@jest/globals';
import pino from 'pino';
import { moveReport } from '../../src/moves/report.ts';
import { type Move, StoreUnavailableError } from '../../src/store/store.ts';

const MINUTE = 60_000;
const BEGAN = Date.parse('2026-01-02T03:04:05.000Z');
const MOVE: Move = {
  clientId: 'T_client',
  kind: 'capture',
  requestId: 'Q1',
  paymentId: 'P1',
  amount: { currency: 'JPY', value: '4711' },
  captureId: null,
  isLast: null,
  status: 'PROCESSING',
  attempts: 1,
  resultCode: null,
  reason: 'NO_ANSWER',
  id: null,
  createdAt: new Date(BEGAN).toISOString(),
  updatedAt: new Date(BEGAN).toISOString(),
};
const LEVELS: Readonly<Record<string, string>> = { 30: 'info', 40: 'warn', 50: 'error' };

test('an outage is a warning, and once; what else could not be looked after is an error', () => {
  const lines: string[] = [];
  const { onError } = moveReport(pino({ base: null }, { write: (line: string) => lines.push(line) }));
  for (let times = 0; times < 3; times += 1) onError(new StoreUnavailableError('the server is away'));
  for (let times = 0; times < 3; times += 1) onError(new TypeError('a fault of ours'));
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(said.map(({ level, error, msg }) => [LEVELS[String(level)], error, msg])).toEqual([
    ['warn', expect.stringContaining('the server is away'), 'captures, cancels and refunds have to wait for the store'],
    ['error', 'TypeError: a fault of ours', 'moves could not be looked after; they are tried again'],
  ]);
});

test('what somebody has to look at is an error, once an hour for each client', () => {
  const lines: string[] = [];
  let now = BEGAN;
  const report = moveReport(pino({ base: null }, { write: (line: string) => lines.push(line) }), () => now);
  const toldAt = (minutes: number, fields: Partial<Move> = {}): string => {
    now = BEGAN + minutes * MINUTE;
    report.onKept({ ...MOVE, ...fields });
    const { level, msg } = JSON.parse(lines.at(-1) ?? '') as { readonly level: number; readonly msg: string };
    return `${LEVELS[level]}: ${msg}`;
  };
  const configuration =
    'error: a capture, cancel or refund is not accepted by APO: correct client id, key, region or contract, and it goes on by itself';
  const undecided =
    'error: it is not known for over an hour what became of a capture, cancel or refund: look into the dashboard of APO; it is asked about and sent again';
  const unknown = 'warn: it is not known yet what became of a capture';
  expect(toldAt(0)).toBe(unknown);
  expect(toldAt(60)).toBe(unknown);
  expect(toldAt(61)).toBe(undecided);
  expect(toldAt(62, { reason: 'CONFIGURATION' })).toBe(configuration);
  expect(toldAt(63, { reason: 'CONFIGURATION' })).toBe(unknown);
  expect(toldAt(62, { reason: 'CONFIGURATION', clientId: 'T_other' })).toBe(configuration);
  const noKey =
    'error: a capture, cancel or refund waits for the private key of its client: configure it, and it goes on by itself; until then look into the dashboard of APO';
  expect(toldAt(64, { reason: 'NO_KEY' })).toBe(noKey);
  expect(toldAt(123, { reason: 'NO_KEY' })).toBe(unknown);
  expect(toldAt(120)).toBe(unknown);
  expect(toldAt(121, { status: 'FAILED', reason: 'OUR_FAULT' })).toBe(
    'error: a capture, cancel or refund is wrong by itself, says APO: look at the order, and report it',
  );
  expect(toldAt(122, { status: 'FAILED', reason: 'OUR_FAULT' })).toBe('warn: a capture has failed');
  expect(toldAt(123, { status: 'FAILED', reason: 'USED_ID' })).toBe(
    'error: something that paynotify does not know of was sent to APO under the id of a capture or refund, perhaps before a restore: look at the order, reconcile it, and only then ask again',
  );
  expect(toldAt(300, { status: 'FAILED', reason: 'BUYER' })).toBe('warn: a capture has failed');
  expect(toldAt(300, { status: 'SUCCEEDED', reason: null })).toBe('info: a capture has succeeded');
  expect(lines.join('')).not.toContain('4711');
});
