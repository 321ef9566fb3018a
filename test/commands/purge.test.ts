import { describe, expect, test } from '@jest/globals';
import type { Page, UnverifiedSummary } from '../../src/store/store.ts';
import { here, json, ownPlace, unverified } from './support.ts';

const place = ownPlace();
const PURGE = ['unverified', '--purge', 'SIGNATURE_MISMATCH'];
const trust = '00'.repeat(32);
const STRANGERS = { reason: 'SIGNATURE_MISMATCH', origin: 'OTHER_KEY', trust } as const;
const OF_APO = { reason: 'SIGNATURE_MISMATCH', origin: 'CONFIGURED_KEY', trust } as const;

/** Two of strangers, one of them a year old; one that a configured key signed; one of another reason. */
const fill = async (): Promise<void> =>
  await place().store(
    unverified('{"old":1}', { failure: STRANGERS, receivedAt: new Date('2020-01-02T03:04:05.678Z') }),
    unverified('{"new":1}', { failure: STRANGERS, receivedAt: new Date('2026-01-02T03:04:05.678Z') }),
    unverified('{"apo":1}', { failure: OF_APO, receivedAt: new Date('2020-01-02T03:04:05.678Z') }),
    unverified('{"unknown":1}'),
  );

/** Their bodies, oldest first. */
const left = async (): Promise<readonly string[]> => {
  const { items } = await json<Page<UnverifiedSummary>>(['unverified'], place().env);
  const whole = await Promise.all(
    items.map(async ({ id }) => await json<{ readonly body: string }>(['unverified', id], place().env)),
  );
  return whole.map(({ body }) => Buffer.from(body, 'base64').toString()).toReversed();
};

describe('unverified --purge', () => {
  test('says what it would remove, and without a terminal removes nothing unless --yes is given', async () => {
    await fill();
    const asked = await here(PURGE, place().env);
    expect(asked).toMatchObject({
      code: 64,
      out: expect.stringMatching(
        /^2 requests with SIGNATURE_MISMATCH to remove: \d+ bytes, first received 2020-01-02 03:04:05, last 2026-01-02 03:04:05 \(UTC\)\.\n1 more request with a signature that a configured key made may be payments: left alone; .*--signed.*\n$/,
      ),
      err: 'error: --yes is needed to remove them: there is no terminal to ask on\n',
    });
    expect(await left()).toHaveLength(4);
    const { code, out } = await here([...PURGE, '--yes'], place().env);
    expect(code).toBe(0);
    expect(out).toContain('Removed 2 requests with SIGNATURE_MISMATCH.\n');
    expect(await left()).toEqual(['{"apo":1}', '{"unknown":1}']);
    expect((await here([...PURGE, '--yes'], place().env)).out).toContain(
      'No request with SIGNATURE_MISMATCH to remove.\n1 more request',
    );
  });

  test('asks on a terminal, and takes nothing but a yes for one', async () => {
    await fill();
    const questions: string[] = [];
    for (const answer of ['', 'n', 'yesterday', 'ja']) {
      const { code, err } = await here(PURGE, place().env, async (question) => {
        questions.push(question);
        return await Promise.resolve(answer);
      });
      expect({ code, err }).toEqual({ code: 1, err: 'error: nothing was removed\n' });
    }
    expect(new Set(questions)).toEqual(new Set(['Remove these 2 for good? [y/N] ']));
    expect(await left()).toHaveLength(4);
    expect(await here(PURGE, place().env, async () => await Promise.resolve('y'))).toMatchObject({ code: 0 });
    expect(await left()).toHaveLength(2);
  });

  test('removes what is older only, and what a configured key signed only with --signed', async () => {
    await fill();
    const old = [...PURGE, '--older-than', '200', '--yes'];
    // Received in 2020 and at the beginning of 2026: the clock of this machine is later than either.
    expect(await json([...PURGE, '--older-than', '36500', '--yes'], place().env)).toMatchObject({ purged: 0 });
    expect(await json([...PURGE, '--older-than', '0', '--yes'], place().env)).toMatchObject({ purged: 2 });
    expect(await json([...old, '--signed'], place().env)).toEqual({ reason: 'SIGNATURE_MISMATCH', purged: 1 });
    expect(await left()).toEqual(['{"unknown":1}']);
  });

  test('its options stand with it alone', async () => {
    for (const option of [['--yes'], ['--signed'], ['--older-than', '3']])
      expect(await here(['unverified', ...option], {})).toMatchObject({
        code: 64,
        err: 'error: --older-than, --signed and --yes go with --purge\n',
      });
  });
});
