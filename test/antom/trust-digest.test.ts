import { expect, test } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import type { Trust } from '../../src/antom/signature.ts';
import { trustDigest } from '../../src/antom/trust-digest.ts';
import { createForgeSigner, keyFixture } from '../support/forge-signer.ts';

const { publicKey: first } = createForgeSigner(keyFixture('throw-away.private.pkcs8.pem'));
const { publicKey: second } = createForgeSigner(keyFixture('throw-away-second.private.pkcs8.pem'));

const digestOf = (clients: readonly (readonly [string, readonly string[]])[], publicUris: readonly string[] = []) => {
  const trust: Trust = { keys: new Map(clients.map(([id, keys]) => [id, keys.map(readKey)])), publicUris };
  const digest = trustDigest(trust);
  expect(trustDigest(trust)).toBe(digest);
  return digest;
};

test('the same clients, keys and paths have the same digest, however they are written', () => {
  const digest = digestOf(
    [
      ['A', [`1:${first}`, second]],
      ['B', [second]],
    ],
    ['/a', '/b'],
  );
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(
    digestOf(
      [
        ['B', [second]],
        ['A', [second, `1:${first.replaceAll('\n', '')}`]],
      ],
      ['/b', '/a'],
    ),
  ).toBe(digest);
});

test('whatever decides on verification changes it', () => {
  const different = [
    digestOf([]),
    digestOf([['A', [first]]]),
    digestOf([['A', [second]]]),
    digestOf([['B', [first]]]),
    digestOf([['A', [first, second]]]),
    digestOf([['A', [`1:${first}`]]]),
    digestOf([['A', [`2:${first}`]]]),
    digestOf([
      ['A', [first]],
      ['B', [first]],
    ]),
    digestOf([['A', [first]]], ['/a']),
    digestOf([['A', [first]]], ['/a', '/a?b']),
  ];
  expect(new Set(different).size).toBe(different.length);
});
