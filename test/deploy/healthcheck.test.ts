import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createSigner } from '../support/client.ts';
import { freePort } from '../support/port.ts';
import { environmentOf, makeDirectory, removeDirectories, startReady, startReceiver } from '../support/receiver.ts';

const SCRIPT = fileURLToPath(new URL('../../deploy/healthcheck.sh', import.meta.url));
const directory = makeDirectory();
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));
afterAll(removeDirectories);

/** The exit code, and what the script printed. */
const check = async (port: number, ...words: readonly string[]): Promise<readonly [code: unknown, text: string]> => {
  const child = spawn('bash', [SCRIPT, ...words], { env: { PORT: String(port) } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as readonly unknown[];
  return [code, text];
};

const listening = async (server: Server): Promise<number> => {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const answering = async (status: number): Promise<number> => {
  const answer: RequestListener = (_request, response) => response.writeHead(status).end('200');
  return await listening(createHttpServer(answer));
};

describe("the image's health check", () => {
  test('tells a service that is ready from one that is only alive', async () => {
    const ready = await startReady(directory, environmentOf(directory, createSigner()));
    expect(await check(ready.address.port)).toEqual([0, '']);
    expect(await check(ready.address.port, '/readyz')).toEqual([0, '']);
    await ready.stop();
    const unready = await startReceiver(directory, {
      ...environmentOf(directory, createSigner()),
      DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/nowhere`,
    });
    expect(await check(unready.address.port, '/healthz')).toEqual([0, '']);
    expect(await check(unready.address.port, '/readyz')).toEqual([1, '']);
    await unready.stop();
  });

  test.each([404, 500, 503])('a %i is no health', async (status) => {
    expect(await check(await answering(status))).toEqual([1, '']);
  });

  test('nor is a port where nobody listens, nor one that accepts and says nothing', async () => {
    expect(await check(await freePort())).toEqual([1, '']);
    const silent = createServer((socket) => socket.resume());
    expect(await check(await listening(silent))).toEqual([1, '']);
  });
});
