import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { SignatureOrigin } from '../../src/antom/origin.ts';
import type { Store } from '../../src/store/store.ts';
import { captureResult } from '../support/facts.ts';
import {
  AMPLE,
  delivery,
  failedAgain,
  type Ground,
  isStored,
  later,
  numbered,
  OTHER_TRUST,
  type Shares,
  sharesOf,
  T0,
  unverified,
} from './support.ts';

/** Each of `numbered` takes as much. */
const bytesOfOne = async (store: Store): Promise<number> => {
  await store.record(numbered(1), AMPLE);
  const { ALL } = await sharesOf(store);
  await store.purgeUnverified(null);
  return ALL;
};

/** As `unverified_totals` should say, counted from all rows. */
const countedShares = async (store: Store): Promise<Shares> => {
  const { items } = await store.readUnverified({ limit: 1_000, cursor: null });
  const sum = (origin: SignatureOrigin | null): number =>
    items.reduce((all, one) => (origin === null || one.origin === origin ? all + one.bytes : all), 0);
  const [UNKNOWN, OTHER_KEY, CONFIGURED_KEY] = [sum('UNKNOWN'), sum('OTHER_KEY'), sum('CONFIGURED_KEY')];
  return { ALL: sum(null), UNKNOWN, OTHER_KEY, CONFIGURED_KEY };
};

export const describeUnverifiedRoom = (ground: () => Ground): void => {
  describe('the room for unverified requests', () => {
    test('over the bytes are refused until some are removed, and repeats are counted all the same', async () => {
      const store = await ground().empty();
      const requests = numbered(4);
      // Half of the room is for signatures by other keys.
      const bounds = { maxBytes: (await bytesOfOne(store)) * 2 * 2 };
      await store.record(requests.slice(0, 2), AMPLE);
      const full = await store.record(requests, bounds);
      expect(full.results.map(isStored)).toEqual([true, true, false, false]);
      expect(full.results[0]).toEqual({ kind: 'unverified', deliveries: 2 });
      expect(await store.purgeUnverified('SIGNATURE_MISMATCH')).toBe(2);
      const { results } = await store.record(requests.slice(2), bounds);
      expect(results.map(isStored)).toEqual([true, true]);
    });

    test.each<readonly [SignatureOrigin, number]>([
      ['UNKNOWN', 2],
      ['OTHER_KEY', 4],
      ['CONFIGURED_KEY', 2],
    ])('of origin %s get %d eighths of the room, whoever came before', async (origin, eighths) => {
      const store = await ground().empty();
      const bounds = { maxBytes: (await bytesOfOne(store)) * 8 };
      const others = (['UNKNOWN', 'OTHER_KEY', 'CONFIGURED_KEY'] as const).filter((other) => other !== origin);
      for (const other of others)
        await store.record(numbered(9, { target: `/payNotif${others.indexOf(other)}`, origin: other }), bounds);
      const before = await sharesOf(store);
      const { results, unverifiedRoom } = await store.record(numbered(9, { origin }), bounds);
      expect(results.filter(isStored)).toHaveLength(eighths);
      expect(unverifiedRoom.find(({ share }) => share === origin)).toMatchObject({
        bytes: (bounds.maxBytes * eighths) / 8,
        maxBytes: (bounds.maxBytes * eighths) / 8,
      });
      expect(await sharesOf(store)).toEqual({
        ...before,
        ALL: bounds.maxBytes,
        [origin]: (bounds.maxBytes * eighths) / 8,
      });
    });

    test('that strangers send leave a quarter to those of a configured key, however they moved between the shares', async () => {
      const store = await ground().empty();
      const bounds = { maxBytes: (await bytesOfOne(store)) * 8 };
      const add = async (origin: SignatureOrigin, target: string): Promise<number> =>
        (await store.record(numbered(9, { origin, target }), bounds)).results.filter(isStored).length;
      expect([await add('UNKNOWN', '/payNotif1'), await add('OTHER_KEY', '/payNotif2')]).toEqual([2, 4]);
      // The client is configured now.
      const { items } = await store.readUnverified({ limit: 2, cursor: null });
      await store.amendUnverified(failedAgain(items));
      expect([await add('UNKNOWN', '/payNotif3'), await add('OTHER_KEY', '/payNotif4')]).toEqual([0, 0]);
      expect(await add('CONFIGURED_KEY', '/payNotif5')).toBe(2);
      expect((await sharesOf(store)).ALL).toBe(bounds.maxBytes);
    });

    test('never take more than all of the room, however they moved between the shares', async () => {
      const store = await ground().empty();
      const bounds = { maxBytes: (await bytesOfOne(store)) * 8 };
      await store.record(numbered(9, { target: '/payNotif1' }), bounds);
      const { items } = await store.readUnverified({ limit: 9, cursor: null });
      await store.amendUnverified(failedAgain(items, { origin: 'CONFIGURED_KEY' }));
      await store.record(numbered(9, { target: '/payNotif2' }), bounds);
      await store.record(numbered(9, { target: '/payNotif3', origin: 'UNKNOWN' }), bounds);
      expect(await sharesOf(store)).toMatchObject({ ALL: bounds.maxBytes, CONFIGURED_KEY: bounds.maxBytes / 2 });
      const { results } = await store.record(numbered(1, { target: '/payNotif4', origin: 'CONFIGURED_KEY' }), bounds);
      expect(results.map(isStored)).toEqual([false]);
    });

    test('of an empty share are refused where the others have taken all of the room', async () => {
      const store = await ground().empty();
      const bounds = { maxBytes: (await bytesOfOne(store)) * 8 };
      for (const target of ['/payNotif1', '/payNotif2']) {
        await store.record(numbered(9, { target }), bounds);
        const { items } = await store.readUnverified({ limit: 9, cursor: null });
        await store.amendUnverified(failedAgain(items, { origin: 'CONFIGURED_KEY' }));
      }
      const full = { ALL: bounds.maxBytes, OTHER_KEY: 0, CONFIGURED_KEY: bounds.maxBytes };
      expect(await sharesOf(store)).toMatchObject(full);
      await store.record(numbered(1, { target: '/payNotif3' }), bounds);
      expect(await sharesOf(store)).toMatchObject(full);
    });

    test('of strangers are charged with what diagnoses move over the share of a configured key', async () => {
      const store = await ground().empty();
      const bounds = { maxBytes: (await bytesOfOne(store)) * 8 };
      const one = bounds.maxBytes / 8;
      const add = async (origin: SignatureOrigin, target: string): Promise<number> =>
        (await store.record(numbered(9, { origin, target }), bounds)).results.filter(isStored).length;
      const diagnosis = { code: 'UNKNOWN_CLIENT', message: 'The client id is mistyped.' } as const;
      const admitted: number[] = [];
      for (const round of [1, 2, 3, 4]) {
        admitted.push(await add('UNKNOWN', `/payNotif${round}`));
        for (const { id, trust, origin } of (await store.readUnverified({ limit: 9, cursor: null })).items)
          if (origin === 'UNKNOWN') await store.keepDiagnosis({ id, trust, origin: 'CONFIGURED_KEY', diagnosis });
      }
      expect(admitted).toEqual([2, 2, 0, 0]);
      expect(await sharesOf(store)).toMatchObject({ UNKNOWN: 0, CONFIGURED_KEY: one * 4 });
      expect(await add('OTHER_KEY', '/payNotif5')).toBe(4);
    });

    test('change their reason, origin and trust, and count for the new share', async () => {
      const store = await ground().empty();
      await store.record(numbered(2), AMPLE);
      const { items } = await store.readUnverified({ limit: 9, cursor: null });
      const amended = { reason: 'UNKNOWN_CLIENT', origin: 'UNKNOWN', trust: OTHER_TRUST } as const;
      await store.amendUnverified([
        ...items.map(({ id }) => ({ id, ...amended })),
        { id: '00'.repeat(32), ...amended },
      ]);
      expect((await store.readUnverified({ limit: 9, cursor: null })).items).toEqual(
        items.map((item) => ({ ...item, ...amended })),
      );
      expect(await sharesOf(store)).toMatchObject({ OTHER_KEY: 0, UNKNOWN: (items[0]?.bytes ?? 0) * 2 });
      expect((await store.listUnverified('SIGNATURE_MISMATCH', { limit: 9, cursor: null })).items).toEqual([]);
      expect((await store.listUnverified('UNKNOWN_CLIENT', { limit: 9, cursor: null })).items).toHaveLength(2);
      expect(await store.purgeUnverified('SIGNATURE_MISMATCH')).toBe(0);
      expect(await store.purgeUnverified('UNKNOWN_CLIENT')).toBe(2);
      expect((await sharesOf(store)).ALL).toBe(0);
    });

    const origins = fc.constantFrom('UNKNOWN' as const, 'OTHER_KEY' as const, 'CONFIGURED_KEY' as const);
    const steps = fc.array(
      fc.oneof(
        fc.record({
          what: fc.constant('record' as const),
          numbers: fc.array(fc.nat(9), { maxLength: 6 }),
          origin: origins,
        }),
        fc.record({
          what: fc.constant('amend' as const),
          numbers: fc.array(fc.nat(9), { maxLength: 4 }),
          origin: origins,
        }),
        fc.record({
          what: fc.constantFrom('promote' as const, 'purge' as const, 'remove' as const, 'import' as const),
          numbers: fc.array(fc.nat(9), { maxLength: 4 }),
          origin: origins,
        }),
      ),
      { maxLength: 12 },
    );

    test('are counted exactly in each share, whatever is done with them', async () => {
      const store = await ground().empty();
      const { read } = delivery(captureResult('S', { captureId: 'C1' }));
      await fc.assert(
        fc.asyncProperty(steps, async (taken) => {
          await store.purgeUnverified(null);
          for (const { what, numbers, origin } of taken) {
            const { items } = await store.readUnverified({ limit: 100, cursor: null });
            const chosen = items.filter((_, index) => numbers.includes(index));
            if (what === 'record') {
              const batch = numbers.map((number) => unverified({ body: Buffer.alloc(number * 10) }, { origin }));
              await store.record(batch, { maxBytes: 6_000 });
            } else if (what === 'amend') await store.amendUnverified(failedAgain(chosen, { origin }));
            else if (what === 'promote')
              await store.promote(
                chosen.map(({ id }) => ({ id, read })),
                T0,
              );
            else if (what === 'purge')
              await store.purgeUnverified(origin === 'UNKNOWN' ? 'UNKNOWN_CLIENT' : 'SIGNATURE_MISMATCH');
            else if (what === 'remove') await store.removeUnverified(later(1), 2);
            else {
              if (origin === 'UNKNOWN') await store.purgeUnverified(null);
              await store.importUnverified(chosen.map((one) => Object.assign(one, { origin })));
            }
            expect(await sharesOf(store)).toEqual(await countedShares(store));
          }
        }),
        { numRuns: 25 },
      );
    });
  });
};
