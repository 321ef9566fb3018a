import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import { originOf } from '../../src/antom/origin.ts';
import { type SignedRequest, type Trust, verify } from '../../src/antom/signature.ts';
import { trustDigest } from '../../src/antom/trust-digest.ts';
import { handlers } from '../../src/handlers/index.ts';
import { SETTING } from '../../src/store/setting.ts';
import { type Store, StoreUnavailableError, type StoredUnverified } from '../../src/store/store.ts';
import {
  type Diagnosing,
  type DiagnosisAlarm,
  diagnosisOf,
  type DiagnosisReport,
  startDiagnosing,
} from '../../src/upkeep/diagnosis.ts';
import { verifyUnverifiedAgain } from '../../src/upkeep/verify-again.ts';
import { type Databases, type Make, openDatabases } from '../store/databases.ts';
import { AMPLE, later, OTHER_TRUST, record, TRUST, unverified } from '../store/support.ts';
import { createSigner, eventually, headerOf, type Signer } from '../support/client.ts';
import { fakeTimers } from '../support/clock.ts';
import { CLIENT, paymentResult } from '../support/facts.ts';

const [apo, merchant] = [createSigner(CLIENT), createSigner(CLIENT)];
const trusting = ({ publicKey }: Signer, publicUris: readonly string[] = []): Trust => ({
  keys: new Map([[CLIENT, [readKey(publicKey)]]]),
  publicUris,
});
const byApo = trusting(apo);
const byMerchant = trusting(merchant);

/** Signed for another path, or received with another body; different ones where the number is another. */
const stripped = (number: number): SignedRequest => toRequest(apo, number, '/api/payNotify');
const damaged = (number: number): SignedRequest => ({ ...toRequest(apo, number), body: Buffer.from('{"other":true}') });
const genuine = (number: number): SignedRequest => toRequest(apo, number);

const toRequest = (signer: Signer, number: number, uri = '/payNotify'): SignedRequest => {
  const post = signer.sign({ number }, { uri });
  const [clientId, requestTime, signature] = ['client-id', 'request-time', 'signature'].map((name) =>
    headerOf(post, name),
  );
  return {
    method: 'POST',
    target: '/payNotify',
    clientIds: [clientId ?? ''],
    requestTimes: [requestTime ?? ''],
    signatures: [signature ?? ''],
    body: post.body,
  };
};

const keep = async (store: Store, trust: Trust, ...requests: readonly SignedRequest[]): Promise<void> => {
  for (const request of requests) {
    const verification = verify(request, trust);
    if (verification.verified) throw new Error('it verifies');
    const failure = { reason: verification.reason, origin: originOf(request, trust), trust: trustDigest(trust) };
    await store.record([{ kind: 'unverified', request, failure, receivedAt: new Date() }], AMPLE);
  }
};

const stored = async (store: Store): Promise<readonly StoredUnverified[]> =>
  (await store.readUnverified({ limit: 100, cursor: null })).items;
const codesIn = async (store: Store): Promise<readonly (string | undefined)[]> =>
  (await stored(store)).map(({ diagnosis }) => diagnosis?.code);

const isStopping = () => false;

let databases: Databases;
const running: Diagnosing[] = [];
beforeAll(async () => {
  databases = await openDatabases();
});
/** A second passes fifty times a second. */
let passing: NodeJS.Timeout;
beforeEach(() => {
  passing = setInterval(() => jest.advanceTimersByTime(1_000), 20);
  fakeTimers('setInterval', 'clearInterval');
});
afterEach(async () => {
  jest.useRealTimers();
  clearInterval(passing);
  for (const one of running.splice(0)) await one.stop();
  await databases.closeAll();
});
afterAll(async () => await databases.remove());

const open = async (): Promise<Store> => await (await databases.make('SQLite')).store();

/** The task of one replica, and what it said. */
const begin = (store: Store, trust: Trust) => {
  const said: { diagnosed: DiagnosisReport[]; alarmed: DiagnosisAlarm[]; failed: unknown[] } = {
    diagnosed: [],
    alarmed: [],
    failed: [],
  };
  const task = startDiagnosing({
    store,
    report: {
      diagnosed: (report) => void said.diagnosed.push(report),
      alarmed: (alarm) => void said.alarmed.push(alarm),
      failed: (_task, error) => void said.failed.push(error),
    },
  });
  task.use(trust);
  running.push(task);
  return { ...said, task };
};

describe.each<Make>(['SQLite', 'PostgreSQL'])('a diagnosis, on %s', (make) => {
  test('is kept with its request until that is verified with other keys or paths, and then made again', async () => {
    const store = await (await databases.make(make)).store();
    await keep(store, byMerchant, stripped(1), genuine(2));
    expect(await codesIn(store)).toEqual([undefined, undefined]);
    const { task } = begin(store, byMerchant);
    await eventually(
      'both',
      async () => await codesIn(store),
      (codes) => !codes.includes(undefined),
    );
    const [first] = await stored(store);
    expect(first?.diagnosis).toEqual({
      code: 'OTHER_KEY',
      message: expect.stringContaining("Usually the merchant's own public key is configured"),
    });
    expect((await store.listUnverified(null, { limit: 9, cursor: null })).items[1]?.diagnosis).toEqual(
      first?.diagnosis,
    );
    expect((await store.findUnverified(first?.id ?? ''))?.diagnosis).toEqual(first?.diagnosis);

    expect(await verifyUnverifiedAgain(store, { trust: byApo, handlers, isStopping })).toBe(1);
    expect(await codesIn(store)).toEqual([undefined]);
    task.use(byApo);
    const codes = await eventually(
      'again',
      async () => await codesIn(store),
      ([code]) => code !== undefined,
    );
    expect(codes).toEqual(['TEXT_CHANGED_PATH']);
    expect(await verifyUnverifiedAgain(store, { trust: trusting(apo, ['/api/payNotify']), handlers, isStopping })).toBe(
      1,
    );
    expect(await stored(store)).toEqual([]);
  });

  test('is not kept where its request has one, is gone, or failed under another trust since', async () => {
    const database = await databases.make(make);
    const store = await database.store();
    await store.record([unverified(), unverified({ target: '/2' }, { at: later(1) })], AMPLE);
    const [one, two] = await stored(store);
    const diagnosis = { code: 'TEXT_CHANGED', message: 'A sentence with é, \u{1f600} and \\.' } as const;
    const kept = async (id = '', trust = TRUST): Promise<boolean> =>
      await store.keepDiagnosis({ id, trust, origin: 'OTHER_KEY', diagnosis });
    expect(await kept(one?.id, OTHER_TRUST)).toBe(false);
    expect(await kept('00'.repeat(32))).toBe(false);
    expect(await kept(one?.id)).toBe(true);
    expect(await kept(one?.id)).toBe(false);
    expect((await stored(store)).map((row) => row.diagnosis)).toEqual([diagnosis, null]);
    const undiagnosed = async (trust: string): Promise<readonly string[]> =>
      (await store.readUndiagnosed(trust, 9)).map(({ id }) => id);
    expect(await undiagnosed(TRUST)).toEqual([two?.id]);
    expect(await undiagnosed(OTHER_TRUST)).toEqual([]);
    await store.record([unverified({ target: '/3' })], AMPLE);
    expect((await undiagnosed(TRUST)).indexOf(two?.id ?? '')).toBe(1);
    const flawsOf = async () =>
      (await store.check('unverified', { limit: 9, cursor: null })).items.map((row) => row.flaws);
    expect(await flawsOf()).toEqual([[], [], []]);
    await database.sql('update unverified set explanation = null');
    expect(await flawsOf()).toMatchObject([[{ problem: 'of diagnosis and explanation one is missing' }], [], []]);
    await database.sql('update unverified set diagnosis = null');
    expect(await kept(one?.id)).toBe(true);
    // A repeat only counts.
    await store.record([unverified()], AMPLE);
    expect((await stored(store))[0]).toMatchObject({ deliveries: 2, diagnosis });
  });

  test('does not outlive a copy from a service with other keys, and stays where that has the same', async () => {
    const [from, to] = [await (await databases.make(make)).store(), await (await databases.make(make)).store()];
    await from.record([unverified(), unverified({ target: '/2' })], AMPLE);
    const rows = await stored(from);
    const copied = async () => {
      await to.importUnverified(rows);
      return await codesIn(to);
    };
    expect(await copied()).toEqual([undefined, undefined]);
    const diagnosis = { code: 'OTHER_KEY', message: 'Why.' } as const;
    for (const { id } of rows) await to.keepDiagnosis({ id, trust: TRUST, origin: 'CONFIGURED_KEY', diagnosis });
    expect(await copied()).toEqual(['OTHER_KEY', 'OTHER_KEY']);
    expect((await stored(to)).map(({ origin }) => origin)).toEqual(['CONFIGURED_KEY', 'CONFIGURED_KEY']);
    await from.amendUnverified(rows.map(({ id, reason, origin }) => ({ id, reason, origin, trust: OTHER_TRUST })));
    await to.importUnverified(await stored(from));
    expect(await codesIn(to)).toEqual([undefined, undefined]);
  });

  test.each<readonly [string, Trust]>([
    ['a client that is not configured', byApo],
    [
      'another client',
      { ...byApo, keys: new Map([...byApo.keys, ['T_other', [readKey(createSigner('T_other').publicKey)]]]) },
    ],
  ])('that names the key of a configured client keeps a request of %s from a purge', async (_whose, trust) => {
    const store = await (await databases.make(make)).store();
    const misnamed = { ...genuine(1), clientIds: ['T_other'] };
    await keep(store, trust, misnamed, { ...toRequest(merchant, 2), clientIds: ['T_other'] });
    begin(store, trust);
    await eventually(
      'both',
      async () => await codesIn(store),
      (codes) => !codes.includes(undefined),
    );
    const whatStrangersSent = { before: null, signed: false };
    const [{ reason }, ...others] = (await stored(store)) as [StoredUnverified, StoredUnverified];
    expect(others).toHaveLength(1);
    expect(await store.purgeUnverified(reason, whatStrangersSent)).toBe(1);
    expect(await stored(store)).toMatchObject([
      { origin: 'CONFIGURED_KEY', diagnosis: { message: expect.stringContaining(`configured for ${CLIENT} made`) } },
    ]);
    // A copy from before its diagnosis changes nothing.
    await store.importUnverified(
      (await stored(store)).map((one) => Object.assign(one, { origin: 'UNKNOWN', diagnosis: null })),
    );
    expect(await store.purgeUnverified(reason, whatStrangersSent)).toBe(0);
    expect(await store.purgeUnverified(reason)).toBe(1);
  });

  test('is reported once, however many replicas look', async () => {
    const database = await databases.make(make);
    // A file has one service.
    const replicas = [await database.store(), ...(make === 'SQLite' ? [] : [await database.store()])];
    const requests = Array.from({ length: 8 }, (_, number) => stripped(number));
    const [one, other] = replicas.map((store) => begin(store, byApo));
    await keep(replicas[0] as Store, byApo, ...requests);
    const reports = () => [...(one?.diagnosed ?? []), ...(other?.diagnosed ?? [])];
    await eventually('all', reports, ({ length }) => length >= requests.length);
    await Promise.all([one?.task.stop(), other?.task.stop()]);
    expect(new Set(reports().map(({ id }) => id)).size).toBe(requests.length);
    expect(reports()).toHaveLength(requests.length);
    expect([...(one?.failed ?? []), ...(other?.failed ?? [])]).toEqual([]);
    expect([...(one?.alarmed ?? []), ...(other?.alarmed ?? [])]).toHaveLength(1);
  });
});

describe('the alarm', () => {
  const HOUR_MS = 3_600_000;
  const anHourPasses = async (store: Store): Promise<void> => {
    const at = Date.parse((await store.recall(SETTING.diagnosisAlarm)) ?? '');
    await store.remember(SETTING.diagnosisAlarm, new Date(at - HOUR_MS).toISOString());
  };

  test('is raised while nothing has ever verified, once an hour', async () => {
    const store = await open();
    await keep(store, byMerchant, genuine(1), genuine(2));
    const first = begin(store, byMerchant);
    await eventually(
      'both',
      () => first.diagnosed,
      ({ length }) => length === 2,
    );
    await eventually(
      'the alarm',
      () => first.alarmed,
      ({ length }) => length > 0,
    );
    await first.task.stop();
    expect(first.alarmed).toMatchObject([{ because: 'NOTHING_VERIFIED', diagnosis: { code: 'OTHER_KEY' } }]);
    // Another process within the hour, and after it.
    await keep(store, byMerchant, genuine(3));
    const second = begin(store, byMerchant);
    await eventually(
      'the third',
      () => second.diagnosed,
      ({ length }) => length === 1,
    );
    await second.task.stop();
    expect(second.alarmed).toEqual([]);
    await anHourPasses(store);
    await keep(store, byMerchant, genuine(4));
    const third = begin(store, byMerchant);
    await eventually(
      'the alarm',
      () => third.alarmed,
      ({ length }) => length === 1,
    );
  });

  test('is not raised by strangers once something has verified', async () => {
    const store = await open();
    await record(store, paymentResult('S'));
    await keep(store, byMerchant, genuine(1));
    const { task, diagnosed, alarmed } = begin(store, byMerchant);
    await eventually(
      'the diagnosis',
      () => diagnosed,
      ({ length }) => length === 1,
    );
    await task.stop();
    expect(alarmed).toEqual([]);
    expect(await store.recall(SETTING.diagnosisAlarm)).toBeNull();
  });

  /** Another replica has told one within the hour, until that ends. */
  const withinTheHour = (store: Store) => {
    let [hasEnded, waited, asked] = [false, 0, 0];
    const recall: Store['recall'] = async (name) => {
      if (name !== SETTING.diagnosisAlarm) return await store.recall(name);
      if (hasEnded) {
        asked += 1;
        return null;
      }
      waited += 1;
      return new Date(Date.now() + 50 - HOUR_MS).toISOString();
    };
    return { store: { ...store, recall }, end: () => void (hasEnded = true), waited: () => waited, asked: () => asked };
  };

  test('that waits for the hour is not raised once something has verified', async () => {
    const hour = withinTheHour(await open());
    await keep(hour.store, byMerchant, genuine(1));
    const { task, alarmed } = begin(hour.store, byMerchant);
    await eventually('an alarm that waits', hour.waited, (times) => times > 0);
    await record(hour.store, paymentResult('S'));
    hour.end();
    await eventually('the end of the hour', hour.asked, (times) => times > 0);
    await task.stop();
    expect(alarmed).toEqual([]);
  });

  test('of a changed text is not forgotten for what strangers send after it', async () => {
    const hour = withinTheHour(await open());
    const { diagnosed, alarmed } = begin(hour.store, byApo);
    for (const [count, request] of [damaged(1), toRequest(merchant, 2)].entries()) {
      await keep(hour.store, byApo, request);
      await eventually(
        'the diagnosis',
        () => diagnosed,
        ({ length }) => length === count + 1,
      );
    }
    hour.end();
    await eventually(
      'the alarm',
      () => alarmed,
      ({ length }) => length === 1,
    );
    expect(alarmed).toMatchObject([{ because: 'TEXT_CHANGED' }]);
  });

  test('is raised for a changed text whatever verified, and what comes within the hour is told after it', async () => {
    const store = await open();
    await record(store, paymentResult('S'));
    await keep(store, byApo, damaged(1));
    const first = begin(store, byApo);
    await eventually(
      'the alarm',
      () => first.alarmed,
      ({ length }) => length === 1,
    );
    expect(first.alarmed).toMatchObject([{ because: 'TEXT_CHANGED', diagnosis: { code: 'TEXT_CHANGED' } }]);
    await first.task.stop();
    const hourEnds = Date.now() + 500;
    await store.remember(SETTING.diagnosisAlarm, new Date(hourEnds - HOUR_MS).toISOString());
    await keep(store, byApo, stripped(2));
    const second = begin(store, byApo);
    await eventually(
      'the alarm',
      () => second.alarmed,
      ({ length }) => length === 1,
    );
    // Never earlier, however slow this machine is.
    expect(Date.now()).toBeGreaterThanOrEqual(hourEnds);
    expect(second.alarmed).toMatchObject([{ diagnosis: { code: 'TEXT_CHANGED_PATH' } }]);
  });
});

test('what verifies although it was kept as unverified is verified again and applied', async () => {
  const store = await open();
  const failure = { reason: 'SIGNATURE_MISMATCH', origin: 'OTHER_KEY', trust: trustDigest(byApo) } as const;
  await store.record([{ kind: 'unverified', request: genuine(1), failure, receivedAt: new Date() }], AMPLE);
  expect(await verifyUnverifiedAgain(store, { trust: byApo, handlers, isStopping })).toBe(0);
  const { diagnosed } = begin(store, byApo);
  const moved = async () => await verifyUnverifiedAgain(store, { trust: byApo, handlers, isStopping });
  await eventually('its move', moved, (count) => count === 1);
  expect(await stored(store)).toEqual([]);
  expect(diagnosed).toEqual([]);
});

test('a fault is reported, and rested after; an outage is not: others tell it', async () => {
  const store = await open();
  await keep(store, byApo, damaged(1));
  const failing = async (error: Error): Promise<readonly unknown[]> => {
    let asked = 0;
    const readUndiagnosed = async () => {
      asked += 1;
      throw error;
    };
    const { failed, task } = begin({ ...store, readUndiagnosed }, byApo);
    await eventually(
      'the question',
      () => asked,
      (times) => times > 0,
    );
    // Several looks from now.
    await pause(200);
    expect(asked).toBe(1);
    await task.stop();
    return failed;
  };
  const fault = new Error('a fault');
  expect(await failing(fault)).toEqual([fault]);
  expect(await failing(new StoreUnavailableError('away'))).toEqual([]);
});

test('one look waits for the other; a fault while it stops is not reported', async () => {
  const store = await open();
  let times = 0;
  const [asked, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
  const readUndiagnosed: Store['readUndiagnosed'] = async () => {
    times += 1;
    asked.resolve();
    return await closed.promise;
  };
  const { failed, task } = begin({ ...store, readUndiagnosed }, byApo);
  await asked.promise;
  // Several looks from now.
  await pause(200);
  const looks = times;
  const stopped = task.stop();
  closed.reject(new Error('closed'));
  await stopped;
  expect(looks).toBe(1);
  expect(failed).toEqual([]);
});

test('nothing more is diagnosed once it stops', async () => {
  const store = await open();
  await keep(store, byApo, damaged(1), stripped(2));
  const stopping = Promise.withResolvers<void>();
  const keepDiagnosis: Store['keepDiagnosis'] = async (one) => {
    stopping.resolve(begun.task.stop());
    return await store.keepDiagnosis(one);
  };
  const begun = begin({ ...store, keepDiagnosis }, byApo);
  await stopping.promise;
  expect((await codesIn(store)).filter((code) => code === undefined)).toHaveLength(1);
});

test('what is kept is shown where it was made by the keys and paths of now; otherwise it is made on demand', async () => {
  const store = await (await databases.make('SQLite')).store();
  await keep(store, byApo, stripped(1));
  const [before] = await stored(store);
  if (before === undefined) throw new Error('it is not stored');
  expect(await diagnosisOf(before, byApo)).toMatchObject({ code: 'TEXT_CHANGED_PATH' });
  const kept = { ...before, diagnosis: { code: 'TEXT_CHANGED', message: 'Kept.' } as const };
  expect(await diagnosisOf(kept, byApo)).toEqual(kept.diagnosis);
  expect(await diagnosisOf(kept, byMerchant)).toMatchObject({ code: 'OTHER_KEY' });
});
