import { expect, test } from '@jest/globals';
import pino from 'pino';
import { createSampledLog } from '../../src/http/sampled-log.ts';
import { createTally } from '../../src/metrics/tally.ts';
import { StoreUnavailableError } from '../../src/store/store.ts';
import { upkeepReport } from '../../src/upkeep/report.ts';
import type { LogLine } from '../support/receiver.ts';

test('a background task that fails calls a person, but not one that only waits for the store', () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
  const { failed } = upkeepReport(log, { sampled: createSampledLog(log), metrics: createTally() });
  failed('redrive', new StoreUnavailableError('the server is away'));
  failed('rebuild', new TypeError('a fault of ours'));
  expect(lines.map((line) => JSON.parse(line) as LogLine)).toMatchObject([
    { level: 40, problem: 'redrive', error: expect.stringContaining('the server is away') },
    { level: 50, problem: 'rebuild', error: 'TypeError: a fault of ours' },
  ]);
});
