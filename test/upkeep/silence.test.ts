import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSampledLog } from '../../src/http/sampled-log.ts';
import { createTally } from '../../src/metrics/tally.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { SETTING } from '../../src/store/setting.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { upkeepReport } from '../../src/upkeep/report.ts';
import { reportSilence, type Silence } from '../../src/upkeep/silence.ts';
import { AMPLE, ANY_ORDER, delivery, registration, RULES, unverified } from '../store/support.ts';
import { answerTo, jpy, paymentAnswer, paymentResult } from '../support/facts.ts';

let directory = '';
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'paynotify-'));
  store = (await openSqlite({ file: join(directory, 'paynotify.db'), rules: RULES })).own;
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const MINUTE = 60_000;
const NOW = new Date('2025-06-02T12:00:00.000Z');
const ago = (minutes: number): Date => new Date(NOW.getTime() - minutes * MINUTE);
const after = (minutes: number): Date => ago(-minutes);

const register = async (minutesAgo: number, paymentRequestId = 'R1', cancelled = false): Promise<void> => {
  await store.register(registration({ paymentRequestId, referenceOrderId: null, cancelled }), {
    replace: false,
    now: ago(minutesAgo),
  });
};
const verify = async (minutesAgo: number, number = 7): Promise<void> => {
  const fields = { paymentId: `P${number}`, paymentRequestId: `R${number}` };
  await store.record([delivery(paymentResult('S', fields), { at: ago(minutesAgo) })], AMPLE);
};

/** APO says, asked, what became of a payment. */
const answer = async (minutesAgo: number, paymentStatus: string, number = 1): Promise<void> => {
  const ids = { paymentId: `P${number}`, paymentRequestId: `R${number}` };
  const body = paymentAnswer(paymentStatus, { ...ids, paymentAmount: jpy('100'), paymentMethodType: 'GCASH' });
  const read = answerTo({ operation: 'inquiryPayment', paymentRequestId: `R${number}` }, JSON.stringify(body));
  await store.recordInquiry({ read, receivedAt: ago(minutesAgo) });
};

/** What is reported then, once the clock has been seen to; orders are read in pages of so many. */
const reported = async (now = NOW, limit = 100): Promise<readonly Silence[]> => {
  while ((await store.sweep(now, 100)) > 0);
  const silences: Silence[] = [];
  const paged: Store = {
    ...store,
    listOrders: async (filter, page) => await store.listOrders(filter, { ...page, limit }),
  };
  await reportSilence(paged, (silence) => silences.push(silence), now);
  return silences;
};

describe('a silence', () => {
  test('is a registration an hour old, and nothing that ever verified', async () => {
    await register(61);
    expect(await reported()).toEqual([{ registeredAt: ago(61).toISOString(), lastVerifiedAt: null }]);
  });

  test('is a registration an hour old, and nothing that has verified since', async () => {
    await verify(62);
    await register(61);
    expect(await reported()).toEqual([{ registeredAt: ago(61).toISOString(), lastVerifiedAt: ago(62).toISOString() }]);
  });

  test('goes by the newest registration that is an hour old', async () => {
    await register(300, 'R1');
    await verify(200);
    await register(90, 'R2');
    await register(10, 'R3');
    expect(await reported()).toMatchObject([{ registeredAt: ago(90).toISOString() }]);
  });

  test.each(['SUCCESS', 'FAIL'])('is not ended by an inquiry that is answered %s', async (paymentStatus) => {
    await verify(130);
    await register(120);
    await answer(90, paymentStatus);
    expect(await reported()).toEqual([
      { registeredAt: ago(120).toISOString(), lastVerifiedAt: ago(130).toISOString() },
    ]);
  });

  test('is found behind orders that changed later', async () => {
    await register(61, 'R1');
    await answer(31, 'SUCCESS', 1);
    await register(30, 'R2');
    await register(20, 'R3');
    expect(await reported(NOW, 1)).toEqual([{ registeredAt: ago(61).toISOString(), lastVerifiedAt: null }]);
  });

  test('is not ended by what fails verification', async () => {
    await register(61);
    await store.record([unverified({}, { at: ago(5) })], AMPLE);
    expect(await reported()).toHaveLength(1);
  });

  test.each<readonly [string, () => Promise<void>]>([
    ['nothing is registered', async () => await verify(600)],
    ['the registration is younger than an hour', async () => await register(59)],
    [
      'something else has verified since',
      async () => {
        await register(61);
        await verify(60);
      },
    ],
    [
      'a resend has verified since',
      async () => {
        await verify(200);
        await register(61);
        await verify(30);
      },
    ],
    [
      'its payment was notified before it was registered',
      async () => {
        await verify(90, 1);
        await register(61);
      },
    ],
    ['it is cancelled', async () => await register(61, 'R1', true)],
    ...['PROCESSING', 'CANCELLED'].map(
      (paymentStatus) =>
        [
          `APO answers that its payment is ${paymentStatus}`,
          async () => {
            await register(120);
            await answer(90, paymentStatus);
          },
        ] as const,
    ),
    [
      'a person has closed it',
      async () => {
        await register(61);
        const { items } = await store.listOrders(ANY_ORDER, { limit: 1, cursor: null });
        const { clientId = '', revision = 0 } = items[0] ?? {};
        await store.review({ clientId, id: 'R1', decision: 'CLOSE', revision, note: null }, ago(5));
      },
    ],
    ['only an inquiry tells of a payment, and no registration', async () => await answer(90, 'SUCCESS')],
  ])('is none where %s', async (_name, happen) => {
    await happen();
    expect(await reported()).toEqual([]);
  });

  test('is reported once an hour while it lasts, whichever replica looks', async () => {
    await register(61);
    expect(await reported()).toHaveLength(1);
    await store.close();
    store = (await openSqlite({ file: join(directory, 'paynotify.db'), rules: RULES })).own;
    expect(await reported(after(59))).toEqual([]);
    expect(await reported(after(60))).toHaveLength(1);
    expect(await reported(after(119))).toEqual([]);
    await verify(-119);
    expect(await reported(after(180))).toEqual([]);
  });

  test.each([
    ['of a clock that was wrong holds nothing back', 60 * 24, 1],
    ['of a replica whose clock is ahead does', 1, 0],
  ])('a report %s', async (_whose, minutesAhead, count) => {
    await register(61);
    await store.remember(SETTING.silence, after(minutesAhead).toISOString());
    expect(await reported()).toHaveLength(count);
  });

  test('is an error in the log, with the times', () => {
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
    upkeepReport(log, { sampled: createSampledLog(log), metrics: createTally() }).silence({
      registeredAt: ago(61).toISOString(),
      lastVerifiedAt: null,
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        level: 50,
        problem: `registered: ${ago(61).toISOString()}; last verified: never`,
        hint: expect.stringContaining('notification URL'),
        msg: expect.stringMatching(/^silence: /),
      },
    ]);
  });
});
