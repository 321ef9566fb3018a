import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CLIENT, keepUp, serve, type Served } from '../sandbox/support.ts';
import { keyOfRegistration, pay, register } from '../reconcile/support.ts';
import { here, json, ownPlace, PRIVATE_KEY_FILE } from './support.ts';

const place = ownPlace();
let sandbox: Served;
keepUp();
beforeAll(async () => {
  sandbox = await serve({ shares: { lost: 1 } });
});

const env = (changes: Readonly<Record<string, string>> = {}) => ({
  DATABASE_URL: place().env['DATABASE_URL'] ?? '',
  ANTOM_CLIENT_ID: CLIENT,
  ANTOM_PUBLIC_KEY: sandbox.publicKey,
  ANTOM_PRIVATE_KEY: readFileSync(PRIVATE_KEY_FILE, 'utf8'),
  ANTOM_REGION: 'ASIA',
  ANTOM_API_URL: sandbox.url,
  INQUIRIES_PER_SECOND: '50',
  ...changes,
});

const paidFor = async (id: string): Promise<string> => {
  await register(await place().opened(), id);
  const paymentId = await pay(sandbox, id);
  await sandbox.quiet();
  return paymentId;
};

interface Refused {
  readonly what: string;
  readonly words: readonly string[];
  readonly changes?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly said: RegExp;
}

describe('reconcile', () => {
  test('asks about one order by its id, whatever is known of it, and says what changed', async () => {
    const paymentId = await paidFor('CR-1');
    const asked = await here(['reconcile', 'CR-1'], env());
    expect(asked).toMatchObject({ code: 0, err: '' });
    expect(asked.out).toMatch(/^CLIENT +ID +ANSWER +STATUS BEFORE +STATUS NOW$/m);
    expect(asked.out).toMatch(new RegExp(`^${CLIENT} +CR-1 +OK +PENDING +CAPTURED$`, 'm'));
    expect(asked.out).toMatch(/^Asked about 1 order; the status of 1 changed\.$/m);
    const again = await json<{ inquiries: readonly object[] }>(['reconcile', paymentId], env());
    expect(again.inquiries).toEqual([
      {
        clientId: CLIENT,
        paymentId,
        why: 'asked by hand',
        outcome: 'OK',
        code: 'SUCCESS',
        statusBefore: 'CAPTURED',
        status: 'CAPTURED',
      },
    ]);
  });

  test('asks about all that changed since a time, and lists them first where only that is wanted', async () => {
    const ids = ['CR-2', 'CR-3', 'CR-4'];
    for (const id of ids.slice(0, 2)) await paidFor(id);
    await register(await place().opened(), 'CR-4');
    const since = ['reconcile', '--since', '2020-01-01T00:00:00Z'];
    const listed = await here([...since, '--dry-run'], env());
    expect(listed.code).toBe(0);
    for (const id of ids) expect(listed.out).toMatch(new RegExp(`^${CLIENT} +${id} +registered, and no`, 'm'));
    const asked = await here(since, env());
    expect(asked.code).toBe(0);
    expect(asked.out.match(/PENDING +CAPTURED$/gm)).toHaveLength(2);
    expect(asked.out).toMatch(/CR-4 +FAILED ORDER_NOT_EXIST +PENDING +PENDING$/m);
    expect((await here(['reconcile', '--since', '2100-01-01T00:00:00Z'], env())).out).toBe(
      'There is nothing to ask.\n',
    );
    // Nothing is due for itself.
    expect((await here(['reconcile', '--dry-run'], env())).out).toBe('There is nothing to ask.\n');
    const why = await here(['why', 'CR-4'], env());
    expect(why.out).toMatch(/^What APO was asked\n {2}APO was asked at .* UTC \(FAILED ORDER_NOT_EXIST\)\.$/m);
    expect(why.out).toMatch(/^ {2}It is asked again at .* UTC: registered, and no notification has come\.$/m);
    expect((await here(['status'], env())).out).toMatch(/^inquiries of SANDBOX_\w+ +none due; 1 later, next /m);
  });

  test('asks once more about what got no answer', async () => {
    await paidFor('CR-10');
    await sandbox.control('POST', '/answers', {
      operation: 'inquiryPayment',
      resultCode: 'REQUEST_TRAFFIC_EXCEED_LIMIT',
    });
    const asked = await here(['reconcile', 'CR-10'], env());
    expect(asked.out).toMatch(/CR-10 +OK +PENDING +CAPTURED$/m);
    expect(asked.code).toBe(0);
  });

  test('says what it could not ask, and that it is not asked in vain', async () => {
    for (const id of ['CR-1', 'CR-2', 'CR-3', 'CR-4', 'CR-5', 'CR-6', 'CR-7', 'CR-8'])
      await register(await place().opened(), id);
    const away = env({ ANTOM_API_URL: 'http://127.0.0.1:9' });
    const asked = await here(['reconcile', '--since', '2020-01-01T00:00:00Z'], away);
    expect(asked.code).toBe(1);
    expect(asked.out.match(/UNKNOWN NO_ANSWER \w+ +PENDING +PENDING$/gm)).toHaveLength(6);
    expect(asked.out.match(/not asked +PENDING +PENDING$/gm)).toHaveLength(2);
    expect(asked.out).toMatch(/^Not asked about 2: APO did not answer 6 times in a row/m);
  });

  test('ends with 1 where somebody else asks about it at this moment', async () => {
    const store = await place().opened();
    await register(store, 'CR-11');
    const key = keyOfRegistration(CLIENT, 'CR-11');
    await store.claimInquiry({ clientId: CLIENT, owner: 'another', leaseMs: 60_000, everyMs: 0, now: Date.now(), key });
    const asked = await here(['reconcile', 'CR-11'], env());
    expect(asked).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Not asked about 1: the service asks about it at this moment\./m),
    });
    expect(asked.out).toMatch(/CR-11 +not asked +PENDING +PENDING$/m);
  });

  test.each<Refused>([
    {
      what: 'without a private key',
      words: ['CR-1'],
      changes: { ANTOM_PRIVATE_KEY: '', ANTOM_REGION: '' },
      code: 78,
      said: /ANTOM_PRIVATE_KEY is not set/,
    },
    { what: 'about an id that nothing carries', words: ['CR-none'], code: 1, said: /no order CR-none: .* registered/ },
    { what: 'about an id and a time', words: ['CR-1', '--since', '2025-01-01T00:00:00Z'], code: 64, said: /not both/ },
    { what: 'since no time', words: ['--since', 'yesterday'], code: 64, said: /2025-11-22T10:45:03Z/ },
    { what: 'of a client without a private key', words: ['--client', 'other'], code: 64, said: /--client/ },
  ])('refuses to ask $what', async ({ words, changes = {}, code, said }) => {
    await place().opened();
    const ended = await here(['reconcile', ...words], env(changes));
    expect(ended.err).toMatch(said);
    expect(ended.code).toBe(code);
  });
});
