import { expect, test } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import pino from 'pino';
import { createRequestLog, printablePath, type RequestLog } from '../../src/http/request-log.ts';
import type { PayNotifyResult } from '../../src/pay-notify.ts';
import type { Recorded } from '../../src/store/store.ts';
import type { LogLine } from '../support/receiver.ts';

const ERROR = 50;
const WARN = 40;
const INFO = 30;

/** A request with this path and client id. */
const requestOf = (url: string, clientId: string): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { url, headersDistinct: { 'client-id': [clientId] } });

const logOf = (
  clientIds: readonly string[] = ['T_client'],
  request = requestOf('/payNotify', 'T_client'),
): { readonly begin: () => RequestLog; readonly lines: () => readonly LogLine[] } => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
  const beginLine = createRequestLog({
    log,
    trustProxy: 0,
    notifyPaths: ['/payNotify'],
    clientIds: () => clientIds,
  });
  return {
    begin: () => beginLine(request),
    lines: () => lines.map((line) => JSON.parse(line) as LogLine),
  };
};

const failed = (deliveries: number): PayNotifyResult => ({
  kind: 'acknowledged',
  acknowledgement: '{}',
  reason: null,
  recorded: {
    kind: 'notification',
    reading: { kind: 'PAYMENT', outcome: 'FAILED', problem: 'a fault', paymentId: 'P1' },
    deliveries,
  } as Recorded,
});

const notStored = (because: 'STORE_UNAVAILABLE' | 'STORE_SLOW'): PayNotifyResult => ({
  kind: 'not stored',
  because,
  reason: null,
  verified: true,
});

test('a notification that is FAILED calls a person once, not with every resend', () => {
  const { begin, lines } = logOf();
  for (const deliveries of [1, 2, 3]) begin().received(200, failed(deliveries));
  expect(lines().map(({ level, deliveries }) => [level, deliveries])).toEqual([
    [ERROR, 1],
    [WARN, 2],
    [WARN, 3],
  ]);
});

test('the first notification of an unknown kind is a warning', () => {
  const { begin, lines } = logOf();
  for (let count = 0; count < 3; count += 1)
    begin().received(200, {
      kind: 'acknowledged',
      acknowledgement: '{}',
      reason: null,
      recorded: {
        kind: 'notification',
        reading: { kind: 'UNKNOWN', outcome: 'UNHANDLED', problem: null, paymentId: 'P1' },
        deliveries: 1,
      } as Recorded,
    });
  expect(lines().map(({ level, paymentId }) => [level, paymentId])).toEqual([
    [WARN, 'P1'],
    [INFO, 'P1'],
    [INFO, 'P1'],
  ]);
});

test('verified notifications that are not stored call a person once a minute for each cause; all have a line', () => {
  const { begin, lines } = logOf();
  for (let count = 0; count < 20; count += 1) begin().received(503, notStored('STORE_UNAVAILABLE'));
  begin().received(503, notStored('STORE_SLOW'));
  const levels = lines().map(({ level, problem }) => [level, problem]);
  expect(levels).toEqual([
    [ERROR, 'STORE_UNAVAILABLE'],
    ...Array.from({ length: 19 }, () => [WARN, 'STORE_UNAVAILABLE']),
    [ERROR, 'STORE_SLOW'],
  ]);
});

test.each([
  [200, ''],
  [201, '...'],
])('a path of %d characters is shown up to 200', (length, end) => {
  expect(printablePath(requestOf('/'.repeat(length), ''))).toBe('/'.repeat(200) + end);
});

test.each([
  { clients: 5, shown: 'C0, C1, C2, C3, C4.', length: 64, end: ';' },
  { clients: 6, shown: 'C0, C1, C2, C3, C4 and 1 more.', length: 65, end: '...;' },
])('of $clients clients five are shown, of a client-id of $length characters 64', ({ clients, shown, length, end }) => {
  const clientIds = Array.from({ length: clients }, (_, index) => `C${index}`);
  const { begin, lines } = logOf(clientIds, requestOf('/payNotify', 'x'.repeat(length)));
  const recorded = { kind: 'unverified', deliveries: 1 } as Recorded;
  begin().received(200, { kind: 'acknowledged', acknowledgement: '{}', reason: 'UNKNOWN_CLIENT', recorded });
  expect(lines()[0]?.['hint']).toContain(`client-id received: ${'x'.repeat(64)}${end} configured: ${shown}`);
});
