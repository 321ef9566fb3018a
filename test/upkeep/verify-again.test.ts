import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readKey } from '../../src/antom/keys.ts';
import { originOf } from '../../src/antom/origin.ts';
import { type SignedRequest, type Trust, verify } from '../../src/antom/signature.ts';
import { trustDigest } from '../../src/antom/trust-digest.ts';
import { handlers } from '../../src/handlers/index.ts';
import { readNotification } from '../../src/handlers/read.ts';
import type { Delivery, Store } from '../../src/store/store.ts';
import { startUpkeep } from '../../src/upkeep/upkeep.ts';
import { verifyUnverifiedAgain } from '../../src/upkeep/verify-again.ts';
import { type Databases, type Make, openDatabases } from '../store/databases.ts';
import { AMPLE, notificationsOf, order, RULES, sharesOf } from '../store/support.ts';
import { UNREPORTED } from './support.ts';
import { createSigner, eventually, headerOf, PATH, type Signer } from '../support/client.ts';
import { fakeTimers } from '../support/clock.ts';
import { CLIENT, jpy, paymentResult } from '../support/facts.ts';

const [first, second] = [createSigner(CLIENT), createSigner(CLIENT)];
const trusting = (signers: readonly Signer[], publicUris: readonly string[] = []): Trust => ({
  keys: new Map([[CLIENT, signers.map(({ publicKey }) => readKey(publicKey))]]),
  publicUris,
});
const [byFirst, bySecond, byBoth] = [trusting([first]), trusting([second]), trusting([first, second])];

const requestOf = (signer: Signer, number: number, uri = PATH): SignedRequest => {
  const post = signer.sign(
    paymentResult('S', { paymentId: `P${number}`, paymentRequestId: `R${number}`, paymentAmount: jpy('100') }),
    { uri },
  );
  const [clientId, requestTime, signature] = ['client-id', 'request-time', 'signature'].map((name) =>
    headerOf(post, name),
  );
  return {
    method: post.method,
    target: PATH,
    clientIds: [clientId ?? ''],
    requestTimes: [requestTime ?? ''],
    signatures: [signature ?? ''],
    body: post.body,
  };
};

/** What a service with this trust hands to the store. */
const deliver = (request: SignedRequest, trust: Trust): Delivery => {
  const verification = verify(request, trust);
  const receivedAt = new Date();
  if (verification.verified)
    return { kind: 'notification', read: readNotification(verification.notification, handlers), receivedAt };
  const failure = { reason: verification.reason, origin: originOf(request, trust), trust: trustDigest(trust) };
  return { kind: 'unverified', request, failure, receivedAt };
};

const verifyAgain = async (store: Store, trust: Trust): Promise<number> =>
  await verifyUnverifiedAgain(store, { trust, handlers, isStopping: () => false });
const unverifiedIn = async (store: Store) => (await store.readUnverified({ limit: 1_000, cursor: null })).items;

let databases: Databases;
beforeAll(async () => {
  databases = await openDatabases();
});
afterEach(async () => {
  jest.useRealTimers();
  await databases.closeAll();
});
afterAll(async () => await databases.remove());

describe.each<Make>(['SQLite', 'PostgreSQL'])('verifying again, on %s', (make) => {
  test('reads all of them, a page at a time', async () => {
    const store = await (await databases.make(make)).store();
    const many = Array.from({ length: 120 }, (_, number) => deliver(requestOf(first, number), bySecond));
    await store.record(many, AMPLE);
    expect(await verifyAgain(store, byFirst)).toBe(120);
  });

  test('moves what passes now, and notes why the others fail now', async () => {
    const store = await (await databases.make(make)).store();
    const requests = [
      requestOf(first, 1),
      requestOf(second, 2),
      { ...requestOf(first, 3), body: Buffer.from('{}') },
      { ...requestOf(first, 4), clientIds: ['T_stranger'] },
    ];
    await store.record(
      requests.map((request) => deliver(request, bySecond)),
      AMPLE,
    );
    expect((await unverifiedIn(store)).map(({ origin }) => origin)).toEqual(['OTHER_KEY', 'OTHER_KEY', 'UNKNOWN']);
    expect(await verifyAgain(store, byFirst)).toBe(1);
    expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
    const trust = trustDigest(byFirst);
    expect(await unverifiedIn(store)).toMatchObject([
      { reason: 'SIGNATURE_MISMATCH', origin: 'CONFIGURED_KEY', trust },
      { reason: 'UNKNOWN_CLIENT', origin: 'UNKNOWN', trust },
    ]);
    const { ALL, OTHER_KEY, CONFIGURED_KEY, UNKNOWN } = await sharesOf(store);
    expect([OTHER_KEY, CONFIGURED_KEY + UNKNOWN]).toEqual([0, ALL]);
    expect((await store.readOutdated(trust, { limit: 9, cursor: null })).items).toEqual([]);
  });

  test('leaves what failed under the same keys and paths, and reads it again once one of them is another', async () => {
    const store = await (await databases.make(make)).store();
    const damaged = { ...requestOf(first, 1), body: Buffer.from('{}') };
    // With a reason that is not today's: it would be corrected, were it verified again.
    const failure = { reason: 'UNKNOWN_KEY_VERSION', origin: 'OTHER_KEY', trust: trustDigest(byFirst) } as const;
    await store.record([{ kind: 'unverified', request: damaged, failure, receivedAt: new Date() }], AMPLE);
    const alike = trusting([first]);
    expect(await verifyAgain(store, alike)).toBe(0);
    expect(await unverifiedIn(store)).toMatchObject([failure]);
    for (const other of [trusting([first], ['/shop/payNotify']), bySecond, byFirst]) {
      expect(await verifyAgain(store, other)).toBe(0);
      expect(await unverifiedIn(store)).toMatchObject([{ reason: 'SIGNATURE_MISMATCH', trust: trustDigest(other) }]);
    }
  });

  test('moves what was signed for the public path, once that is configured', async () => {
    const store = await (await databases.make(make)).store();
    await store.record([deliver(requestOf(first, 1, '/shop/payNotify'), byFirst)], AMPLE);
    expect(await unverifiedIn(store)).toMatchObject([{ origin: 'CONFIGURED_KEY' }]);
    expect(await verifyAgain(store, trusting([first], ['/shop/payNotify']))).toBe(1);
    expect(await order(store, 'P1')).toMatchObject({ status: 'AUTHORIZED' });
  });

  test('loses nothing and doubles nothing, whatever keys the replicas had and in whichever order they looked', async () => {
    const database = await databases.make(make);
    const replicas = [await database.store(), await database.store()] as const;
    const trusts = [byFirst, bySecond, byBoth, trusting([])] as const;
    const actions = fc.array(
      fc.record({ replica: fc.nat(1), trust: fc.nat(3), what: fc.constantFrom('verify again', 'receive', 'receive') }),
      { minLength: 1, maxLength: 8 },
    );
    let next = 0;
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(actions, async (taken) => {
        // Two at a time, as two replicas are.
        for (let index = 0; index < taken.length; index += 2) {
          await Promise.all(
            taken.slice(index, index + 2).map(async ({ replica, trust, what }) => {
              const store = replicas[replica as 0 | 1];
              const by = trusts[trust as 0 | 1 | 2 | 3];
              if (what === 'verify again') await verifyAgain(store, by);
              else {
                next += 2;
                const requests = [requestOf(first, next), requestOf(second, next + 1), requestOf(second, next + 1)];
                sent += requests.length;
                await store.record(
                  requests.map((request) => deliver(request, by)),
                  AMPLE,
                );
              }
            }),
          );
        }
        await Promise.all(replicas.map(async (store) => await verifyAgain(store, byBoth)));
        expect(await unverifiedIn(replicas[0])).toEqual([]);
        expect((await sharesOf(replicas[0])).ALL).toBe(0);
      }),
      { numRuns: 12 },
    );
    const [deliveries, different] = [
      await countDeliveries(replicas[0]),
      new Set((await allNotifications(replicas[0])).map(({ id }) => id)).size,
    ];
    expect([deliveries, different]).toEqual([sent, next]);
  });

  test('a service looks every minute: what another one with other keys adds later is moved too', async () => {
    const database = await databases.make(make);
    const [store, other] = [await database.store(), await database.store()];
    let moved = 0;
    fakeTimers('setInterval', 'clearInterval');
    const upkeep = startUpkeep({
      store,
      handlers,
      rules: RULES,
      retention: { retentionDays: null, unverifiedRetentionDays: 30 },
      report: {
        ...UNREPORTED,
        moved: (count) => (moved += count),
      },
    });
    upkeep.verifyAgain(byFirst);
    for (const number of [1, 2]) {
      await other.record([deliver(requestOf(first, number), bySecond)], AMPLE);
      await eventually(
        'what was added is moved',
        () => {
          jest.advanceTimersByTime(60_000);
          return moved;
        },
        (count) => count === number,
      );
    }
    await upkeep.stop();
    expect((await notificationsOf(store)).map(({ outcome }) => outcome)).toEqual(['APPLIED', 'APPLIED']);
  });
});

const allNotifications = async (store: Store) =>
  (
    await store.listNotifications(
      { kind: null, outcome: null, clientId: null, id: null },
      { limit: 1_000, cursor: null },
    )
  ).items;
const countDeliveries = async (store: Store): Promise<number> =>
  (await allNotifications(store)).reduce((sum, { deliveries }) => sum + deliveries, 0);
