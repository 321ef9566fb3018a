import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { dueAt, keepPosts, type Posted, shopOf, takeChanges } from '../support/posts.ts';
import { CLIENT, here, json, notified, ownPlace, payment } from './support.ts';

const place = ownPlace();
const SHOP = shopOf(CLIENT);
const QUARTER_HOUR_MS = 15 * 60_000;

const run = async (...words: readonly string[]) => await here(['callbacks', ...words], place().env);

const relay = async (posted: Posted = {}): Promise<void> => {
  const store = await place().opened();
  await takeChanges(store, SHOP);
  await keepPosts(store, SHOP, posted);
};

describe('callbacks', () => {
  test('says that there is no URL, and sends nothing then', async () => {
    await place().store(notified(payment()));
    expect(await run()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^No callback URL is in use: set CALLBACK_URL/),
    });
    const none = `error: no callback URL of ${CLIENT} is in use: a service that has one must have started on this database\n`;
    expect(await run('--send', 'P1')).toMatchObject({ code: 1, err: none });
    expect(await run('--all', '--yes')).toMatchObject({ code: 1, err: none.replace(` of ${CLIENT}`, '') });
  });

  test('shows what waits, since when, why and until when, of the URL only its origin', async () => {
    await place().store();
    await relay();
    expect((await run()).out).toMatch(/^CLIENT .*\nCLI_CLIENT +https:\/\/shop\.example +0 +– +– +– +–$/m);

    await place().store(notified(payment()));
    expect((await run()).out).toMatch(/ 0 +20\S+ \S+ +no service has taken it yet /);
    await relay({ fails: 'HTTP 422' });
    const until = Date.now() + 300_000;
    await relay({ url: { kind: 'paused', until, attempts: 3, why: 'HTTP 503' } });
    const { code, out, err } = await run();
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^CLI_CLIENT +https:\/\/shop\.example +1 +20\S+ \S+ +paused: HTTP 503 +20/m);
    expect(out).toMatch(/^P1 +R1 +\d+ +20\S+ \S+ +1 +HTTP 503 +20/m);
    expect(await json(['callbacks'], place().env)).toEqual({
      destinations: [expect.objectContaining({ clientId: CLIENT, origin: SHOP.origin, waiting: 1, why: 'HTTP 503' })],
      waiting: {
        items: [
          {
            clientId: CLIENT,
            paymentId: 'P1',
            paymentRequestId: 'R1',
            origin: SHOP.origin,
            revision: expect.any(Number),
            since: expect.any(String),
            attempts: 1,
            nextAttemptAt: new Date(until).toISOString(),
            why: 'HTTP 503',
          },
        ],
        next: null,
      },
    });
    expect((await run('--client', 'OTHER')).out).toMatch(/^No callback URL/);
    expect((await here(['why', 'P1'], place().env)).out).toMatch(
      / callback waits +revision \d+ to https:\/\/shop\.example, 1 attempt: HTTP 503, next 20/,
    );
    expect((await here(['status'], place().env)).out).toMatch(
      /^callbacks of CLI_CLIENT +https:\/\/shop\.example, 1 order waiting, since .*: HTTP 503$/m,
    );
  });

  test('--client shows one client alone, and sends its orders alone', async () => {
    const store = await place().opened();
    const shops = [SHOP, shopOf('OTHER')];
    await takeChanges(store, ...shops);
    await place().store(notified(payment()), notified(payment({ paymentId: 'P2', paymentRequestId: 'R2' }), 'OTHER'));
    await takeChanges(store, ...shops);
    const shown = async (...words: readonly string[]) => {
      const { destinations, waiting } = (await json<Record<string, unknown>>(['callbacks', ...words], place().env)) as {
        destinations: readonly { clientId: string }[];
        waiting: { items: readonly { paymentId: string }[] };
      };
      return [destinations.map(({ clientId }) => clientId), waiting.items.map(({ paymentId }) => paymentId).sort()];
    };
    expect(await shown()).toEqual([
      [CLIENT, 'OTHER'],
      ['P1', 'P2'],
    ]);
    expect(await shown('--client', 'OTHER')).toEqual([['OTHER'], ['P2']]);
    expect(await json(['callbacks', '--all', '--yes', '--client', 'OTHER'], place().env)).toEqual({ urls: 1 });
    expect(await json(['callbacks', '--all', '--yes'], place().env)).toEqual({ urls: 2 });
  });

  test('a shell takes the hint to the next page as it stands', async () => {
    await place().store();
    await relay();
    for (const id of ["R it's", 'R é', 'R1']) await here(['register', id, '--amount', 'JPY:120'], place().env);
    await takeChanges(await place().opened(), SHOP);
    const seen: string[] = [];
    for (let words: readonly string[] = []; ;) {
      const { out, code } = await run('--limit', '1', ...words);
      expect(code).toBe(0);
      seen.push(...(/^– +(R.*?)  /m.exec(out)?.slice(1) ?? []));
      const hint = /^There may be more: (.*)$/m.exec(out)?.[1];
      if (hint === undefined) break;
      words = execFileSync('sh', ['-c', `printf '%s\\n' ${hint}`], { encoding: 'utf8' })
        .trimEnd()
        .split('\n');
    }
    expect(seen.sort()).toEqual(["R it's", 'R é', 'R1'].sort());
  });

  test('exits with 1 where something has waited for more than a quarter of an hour', async () => {
    await place().store();
    await relay();
    await place().store(notified(payment()));
    await relay({ fails: 'HTTP 422' });
    expect((await run()).code).toBe(0);
    place().sql(`update callback_orders set pending_since = pending_since - ${QUARTER_HOUR_MS + 1_000}`);
    expect((await run()).code).toBe(1);
    expect((await run('--json')).code).toBe(1);
  });

  test('--send has an order posted now, delivered or not', async () => {
    await place().store();
    await relay();
    await place().store(notified(payment()));
    await relay();
    const store = await place().opened();
    expect(await dueAt(store, SHOP)).toEqual([]);
    expect((await here(['why', 'P1'], place().env)).out).toMatch(
      / callback delivered +revision \d+ to https:\/\/shop\.example/,
    );
    expect(await run('--send', 'R1')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^R1 waits to be posted now/),
    });
    expect(await dueAt(store, SHOP)).toEqual(['P1']);
    expect(await json(['callbacks', '--send', 'P1'], place().env)).toEqual({ sent: 1 });
    expect(await run('--send', 'P9')).toMatchObject({ code: 1, err: 'error: there is no order P9\n' });
  });

  test('--all has everything posted, once that is confirmed', async () => {
    await place().store(notified(payment()), notified(payment({ paymentId: 'P2', paymentRequestId: 'R2' })));
    await relay();
    const store = await place().opened();
    expect(await run('--all')).toMatchObject({ code: 64 });
    const asking = async (answer: string) => await here(['callbacks', '--all'], place().env, async () => answer);
    expect(await asking('n')).toMatchObject({ code: 1, err: 'error: nothing was sent\n' });
    await takeChanges(store, SHOP);
    expect(await dueAt(store, SHOP)).toEqual([]);

    expect((await asking('y')).out).toBe(
      `Every order to post again, from the first, to https://shop.example (${CLIENT}).\nThe running service posts them, to 1 URL.\n`,
    );
    await takeChanges(store, SHOP);
    expect(await dueAt(store, SHOP)).toEqual(['P1', 'P2']);
    expect(await json(['callbacks', '--all', '--yes'], place().env)).toEqual({ urls: 1 });
  });

  test.each([
    ['--yes without --all', ['--yes']],
    ['one and all', ['--send', 'P1', '--all']],
  ])('refuses %s as usage, 64', async (_what, words) => {
    expect((await run(...words)).code).toBe(64);
  });
});
