import { afterEach, describe, expect, test } from '@jest/globals';
import { clientAddress } from '../../src/http/client-address.ts';
import { createSigner, eventually, withHeaders } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { environmentOf, makeDirectory, removeDirectory, startReady } from '../support/receiver.ts';

const SOCKET = '10.0.0.7';
const LIST = '198.51.100.1, 203.0.113.9,192.0.2.1';

describe("the client's address", () => {
  test.each([
    { trusted: 0, forwardedFor: LIST, is: SOCKET },
    { trusted: 1, forwardedFor: LIST, is: '192.0.2.1' },
    { trusted: 2, forwardedFor: LIST, is: '203.0.113.9' },
    { trusted: 3, forwardedFor: LIST, is: '198.51.100.1' },
  ])('is that of $trusted trusted proxies from the end of the list', ({ trusted, forwardedFor, is }) => {
    expect(clientAddress({ socket: SOCKET, forwardedFor: [forwardedFor], trusted })).toBe(is);
  });

  test.each([
    ['192.0.2.1:4711', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['\t192.0.2.1 ', '192.0.2.1'],
  ])('is read from %j', (forwardedFor, is) => {
    expect(clientAddress({ socket: SOCKET, forwardedFor: [forwardedFor], trusted: 1 })).toBe(is);
  });

  test.each([
    ['an empty list', '', 1],
    ['a list that is shorter than the proxies are many', LIST, 4],
    ['an empty entry', '192.0.2.1,', 1],
    ['a name', 'shop.example', 1],
    ['an obfuscated identifier', 'unknown', 1],
    ['a number too large', '192.0.2.256', 1],
    ['a port that is none', '192.0.2.1:port', 1],
    ['IPv4 in brackets', '[192.0.2.1]', 1],
    ['an open bracket', '[2001:db8::1', 1],
    ['markup', '<script>', 1],
    ['two addresses in one entry', '192.0.2.1 192.0.2.2', 1],
    ['an address with a zone', 'fe80::1%eth0', 1],
    ['one with a zone of 9 KB', `fe80::1%${'a'.repeat(9_000)}`, 1],
    ['one with a zone in brackets', '[fe80::1%eth0]:4711', 1],
    ['an address of many digits', `${'0'.repeat(9_000)}::1`, 1],
  ])("is the socket's for %s", (_, forwardedFor, trusted) => {
    expect(clientAddress({ socket: SOCKET, forwardedFor: [forwardedFor], trusted })).toBe(SOCKET);
  });

  test("is the socket's where there is no list", () => {
    expect(clientAddress({ socket: SOCKET, forwardedFor: [], trusted: 1 })).toBe(SOCKET);
  });

  test('is read from the end of several lists', () => {
    expect(clientAddress({ socket: SOCKET, forwardedFor: [LIST, '192.0.2.2'], trusted: 2 })).toBe('192.0.2.1');
  });

  test('is unknown where the socket is gone and no proxy is trusted', () => {
    expect(clientAddress({ socket: undefined, forwardedFor: [LIST], trusted: 0 })).toBeUndefined();
  });
});

describe('the logged address', () => {
  let directory: string;
  afterEach(() => removeDirectory(directory));

  const loggedWith = async (trustProxy: string): Promise<unknown> => {
    directory = makeDirectory();
    const signer = createSigner();
    const receiver = await startReady(directory, { ...environmentOf(directory, signer), TRUST_PROXY: trustProxy });
    // Twice, as from a proxy that adds a header of its own instead of appending to the one there is.
    const post = withHeaders(signer.sign(paymentResult('S')), {
      'X-Forwarded-For': ['198.51.100.1, 203.0.113.9', '192.0.2.1'],
    });
    expect(await receiver.post(post)).toMatchObject({ status: 200 });
    const lines = await eventually(
      'the line',
      async () => (await receiver.log()).filter(({ msg }) => msg === 'notification'),
      ({ length }) => length > 0,
    );
    await receiver.stop();
    return lines[0]?.['address'];
  };

  test.each([
    ['0', '127.0.0.1'],
    ['1', '192.0.2.1'],
    ['2', '203.0.113.9'],
    ['4', '127.0.0.1'],
  ])('with TRUST_PROXY=%s is %s', async (trustProxy, address) => {
    expect(await loggedWith(trustProxy)).toBe(address);
  });
});
