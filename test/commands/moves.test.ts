import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Move } from '../../src/store/store.ts';
import { callingEnvironment } from '../moves/service.ts';
import { type Ground, layGround, made } from '../moves/support.ts';
import { CLIENT, keepUp } from '../sandbox/support.ts';
import { fileIn, type Environment, removeDirectories } from '../support/receiver.ts';
import { closeShared, type Ended, here, json } from './support.ts';

keepUp();
let ground: Ground;
let env: Environment;
beforeAll(async () => {
  ground = await layGround();
  env = callingEnvironment(ground.sandbox, {
    url: ground.way.url,
    databaseUrl: `sqlite:${fileIn(ground.directory)}`,
  });
});
afterAll(async () => {
  await closeShared(ground.directory);
  await ground.stop();
  removeDirectories();
});

const run = async (...words: readonly string[]): Promise<Pick<Ended, 'code' | 'out' | 'err'>> => {
  const { code, out, err } = await here(words, env);
  return { code, out, err };
};
const said = (out: string) => ({ code: 0, out: `${out}\n`, err: '' });
const refused = (err: string) => ({ code: 1, out: '', err: `error: ${err}\n` });

describe('paynotify capture', () => {
  test('captures all; the same once more is the same one', async () => {
    const id = await ground.authorized();
    const first = await json<Move>(['capture', id, '--request-id', `${id}-mine`], env);
    expect(first).toMatchObject({
      kind: 'capture',
      requestId: `${id}-mine`,
      amount: { currency: 'JPY', value: '1000' },
      status: 'SUCCEEDED',
      attempts: 1,
      resultCode: 'SUCCESS',
    });
    expect(await json<Move>(['capture', id, '--request-id', `${id}-mine`], env)).toEqual(first);
    expect((await ground.ledger(id)).captures).toHaveLength(1);
    expect(await run('capture', id)).toEqual(
      refused('CAPTURED: All that is due is captured already. To give money back, refund it.'),
    );
  });

  test('captures in parts, of which one is the last', async () => {
    const id = await ground.authorized();
    expect(await run('capture', id, '--amount', 'JPY:400', '--request-id', 'Q1')).toEqual(
      said('capture Q1 of JPY 400: SUCCEEDED SUCCESS'),
    );
    expect(await run('capture', id, '--amount', 'JPY:500', '--request-id', 'Q1')).toEqual(
      refused(
        'something else was sent under Q1 (capture Q1 of JPY 400: SUCCEEDED SUCCESS): repeat exactly that, or name another id',
      ),
    );
    expect(await run('capture', id, '--amount', 'JPY:400')).toEqual(
      refused('REPEATED: The same capture has just succeeded, as Q1. To make another, name its request id.'),
    );
    expect(await run('capture', id, '--amount', 'JPY:601')).toEqual(
      refused('TOO_MUCH: No more than JPY 600 is left to capture.'),
    );
    expect(await run('capture', id, '--amount', 'JPY:300', '--last')).toEqual(
      said(`capture ${id}-2 of JPY 300: SUCCEEDED SUCCESS`),
    );
    expect((await run('capture', id)).err).toMatch(/^error: LAST_CAPTURED: /);
    expect(await ground.ledger(id)).toMatchObject({ moved: { paid: '700' } });
  });

  test('stands in what happened, and in what is under way', async () => {
    const id = await ground.authorized();
    expect((await run('status')).out).toMatch(/\nunder way at APO +nothing\n/);
    ground.way.faults.push('lost on the way');
    await run('capture', id, '--amount', 'JPY:400', '--request-id', 'Q9', '--last');
    const lines = (await here(['why', id], env)).out.split('\n').filter((line) => line.includes('Q9'));
    expect(lines).toEqual([
      '  A capture is under way: Q9.',
      expect.stringMatching(/ capture written down +Q9 JPY 400 the last +AUTHORIZED +no +WAIT$/),
      expect.stringMatching(/ capture sent +Q9 PROCESSING NO_ANSWER +AUTHORIZED +no +WAIT$/),
    ]);
    expect((await run('status')).out).toMatch(/\nunder way at APO +1 of captures, cancels and refunds, since 20/);
    const [move] = await ground.store.listMoves(CLIENT, id);
    expect(await json(['status'], env)).toMatchObject({ moves: { underWay: 1, since: move?.createdAt } });
    if (move !== undefined) await ground.moves.takeUp(move);
    const told = (await here(['why', id], env)).out.split('\n').filter((line) => line.includes('Q9'));
    expect(told.at(-1)).toMatch(/ capture sent +Q9 SUCCEEDED SUCCESS +PARTIALLY_CAPTURED /);
  });

  test('says what a failure asks for, with exit code 1, and what the configuration lacks', async () => {
    const id = await ground.authorized();
    const told = { operation: 'capture', resultCode: 'MULTI_CAPTURE_NOT_SUPPORTED', payment: id };
    await ground.sandbox.control('POST', '/answers', told);
    expect(await run('capture', id)).toEqual({
      ...said(`capture ${id}-1 of JPY 1000: FAILED MULTI_CAPTURE_NOT_SUPPORTED NO_MORE_CAPTURES`),
      code: 1,
    });
    const used = { operation: 'capture', resultCode: 'REPEAT_REQ_INCONSISTENT', payment: id };
    await ground.sandbox.control('POST', '/answers', used);
    expect(await run('capture', id, '--request-id', 'used')).toEqual({
      ...said(
        'capture used of JPY 1000: FAILED REPEAT_REQ_INCONSISTENT USED_ID - something that paynotify does not know of was sent to APO under this id, perhaps before a restore: look at the order, reconcile it, and only then ask again',
      ),
      code: 1,
    });
    const configured = { operation: 'capture', resultCode: 'MERCHANT_NOT_REGISTERED', payment: id };
    await ground.sandbox.control('POST', '/answers', configured);
    expect(await run('capture', id, '--request-id', 'conf')).toEqual(
      said(
        'capture conf of JPY 1000: PROCESSING MERCHANT_NOT_REGISTERED CONFIGURATION - correct client id, key, region or contract; the service then goes on with it',
      ),
    );
  });

  test('says that what got no answer is not known yet', async () => {
    const id = await ground.authorized();
    ground.way.faults.push('lost on the way');
    expect(await run('capture', id)).toEqual(
      said(`capture ${id}-1 of JPY 1000: PROCESSING NO_ANSWER - not known yet; the service goes on with it`),
    );
  });
});

test('paynotify cancel cancels; once more is the same', async () => {
  const id = await ground.authorized();
  expect(await run('cancel', id)).toEqual(said(`cancel ${id}-c1: SUCCEEDED SUCCESS`));
  expect(await run('cancel', id)).toEqual(said(`cancel ${id}-c1: SUCCEEDED SUCCESS`));
  expect((await ground.ledger(id)).gone).not.toBeNull();
  expect((await run('capture', id)).err).toMatch(/^error: OVER: The payment is CANCELLED: /);
});

test('paynotify refund gives back what is captured, once under its id', async () => {
  const id = await ground.authorized();
  expect((await run('refund', id, '--amount', 'JPY:1')).err).toMatch(
    /^error: NOT_CAPTURED: .* Cancel the payment\.\n$/,
  );
  const captured = await made(ground, id, { kind: 'capture' });
  const refund = ['refund', id, '--amount', 'JPY:400', '--request-id', 'F1', '--capture-id', String(captured.id)];
  for (let time = 0; time < 2; time += 1)
    expect(await run(...refund)).toEqual(said('refund F1 of JPY 400: SUCCEEDED SUCCESS'));
  expect(await ground.ledger(id)).toMatchObject({ moved: { paid: '1000', returned: '400' } });
  expect(await ground.order(id)).toMatchObject({ refundedAmount: { currency: 'JPY', value: '400' } });
});

test('what cannot be done says why: 64 for usage, 78 for configuration, 1 for an order that is not there', async () => {
  const id = await ground.authorized();
  for (const words of [
    ['refund', id],
    ['refund', id, '--amount', '400'],
    ['capture', id, '--amount', 'JPY:0'],
    ['capture', id, '--request-id', 'x'.repeat(65)],
    ['cancel'],
  ])
    expect([words, await run(...words)]).toMatchObject([words, { code: 64, out: '' }]);
  expect(await run('capture', 'nobody')).toMatchObject({ code: 1, out: '', err: expect.stringContaining('nobody') });
  const { ANTOM_PRIVATE_KEY: _key, ANTOM_REGION: _region, ANTOM_API_URL: _url, ...without } = env;
  const { code, err } = await here(['cancel', id], without);
  expect([code, err]).toEqual([78, expect.stringContaining('ANTOM_PRIVATE_KEY is needed to send anything to APO')]);
  expect(await ground.store.listMoves(CLIENT, id)).toEqual([]);
});
