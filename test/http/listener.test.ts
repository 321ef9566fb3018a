import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { listenTogether } from '../../src/http/listener.ts';

const variables = ['HOST', 'PORT'] as const;
const at = (host: string, port: number) => ({ server: createServer(), host, port, variables });

test('an address of another machine has to be changed, whatever becomes of a port that is in use', async () => {
  const holder = at('127.0.0.1', 0);
  const [{ port }] = await listenTogether([holder]);
  const inUse = /in use \(EADDRINUSE\)/;
  await expect(listenTogether([at('127.0.0.1', port)])).rejects.toMatchObject({ lasting: false, message: inUse });
  await expect(listenTogether([at('127.0.0.1', port), at('192.0.2.1', 0)])).rejects.toMatchObject({
    lasting: true,
    message: expect.stringMatching(/EADDRINUSE.*EADDRNOTAVAIL/),
  });
  holder.server.close();
});
