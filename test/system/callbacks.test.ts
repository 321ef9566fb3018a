import { spawnSync } from 'node:child_process';
import { beforeAll, expect, test } from '@jest/globals';
import { blocksOf, readPage } from '../docs/blocks.ts';
import { signCallback, type SignedCallback } from '../support/callback.ts';
import { newSecret } from '../support/shop.ts';

/** The recipe of docs/consuming.md, run by a real Python; the package of Standard Webhooks signs. */

const isRecipe = (block: string): boolean => block.startsWith('# verify.py\n');
const recipe = blocksOf(readPage('docs/consuming.md'), 'python').find(isRecipe) ?? '';
const RUN = `
import json, sys
print(json.dumps([verify(one["headers"], one["body"].encode(), one["secrets"]) for one in json.load(sys.stdin)]))
`;

beforeAll(() => {
  const { error } = spawnSync('python3', ['--version']);
  if (error !== undefined) throw new Error('python3 is missing: apt-get install --no-install-recommends python3');
});

const [secret, other] = [newSecret(), newSecret()];
const body = '{"type":"order.changed","data":{"note":"Zürich"}}';
const good = signCallback(body, [secret]);
const withHeaders = (headers: Partial<SignedCallback['headers']>): SignedCallback => ({
  ...good,
  headers: { ...good.headers, ...headers },
});
const { 'webhook-id': _id, ...withoutId } = good.headers;

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
const CASES = [
  [true, 'what its secret signed', good, [secret]],
  [true, 'what one of its secrets signed', good, [other, secret]],
  [true, 'one of two signatures', signCallback(body, [other, secret]), [secret]],
  [true, 'what was signed four minutes ago', signCallback(body, [secret], minutesAgo(4)), [secret]],
  [false, 'what another secret signed', good, [other]],
  [false, 'another body', { ...good, body: body.replace('Zürich', 'Basel') }, [secret]],
  [false, 'another id', withHeaders({ 'webhook-id': 'evt_0' }), [secret]],
  [false, 'no id', { ...good, headers: withoutId }, [secret]],
  [false, 'another time', withHeaders({ 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) + 9) }), [secret]],
  [false, 'no time', withHeaders({ 'webhook-timestamp': 'now' }), [secret]],
  [false, 'a time of other digits', withHeaders({ 'webhook-timestamp': '١٢٣' }), [secret]],
  [false, 'a time of 5,000 digits', withHeaders({ 'webhook-timestamp': '1'.repeat(5_000) }), [secret]],
  [false, 'what was signed six minutes ago', signCallback(body, [secret], minutesAgo(6)), [secret]],
  [false, 'what will be signed in six minutes', signCallback(body, [secret], minutesAgo(-6)), [secret]],
  [false, 'a signature of another version', withHeaders({ 'webhook-signature': 'v2,AAAA' }), [secret]],
  [false, 'a signature beyond ASCII', withHeaders({ 'webhook-signature': 'v1,Zürich' }), [secret]],
  [false, 'half a character in the signature', withHeaders({ 'webhook-signature': 'v1,\uD800' }), [secret]],
  [false, 'half a character in the id', withHeaders({ 'webhook-id': 'evt_\uD800' }), [secret]],
  [false, 'no signature', withHeaders({ 'webhook-signature': '' }), [secret]],
] as const;

test('the Python recipe takes what is signed, and nothing else', () => {
  const input = JSON.stringify(CASES.map(([, , signed, secrets]) => ({ ...signed, secrets })));
  // By the locale of the machine, Python might read and write another encoding.
  const env = { PATH: process.env['PATH'], PYTHONUTF8: '1' };
  const { stdout, stderr } = spawnSync('python3', ['-c', recipe + RUN], { input, encoding: 'utf8', env });
  expect(stderr).toBe('');
  const taken = JSON.parse(stdout) as readonly boolean[];
  expect(CASES.map(([, what], index) => [taken[index], what])).toEqual(
    CASES.map(([expected, what]) => [expected, what]),
  );
});
