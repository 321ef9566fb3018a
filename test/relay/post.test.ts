import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { createPosting, type PostResult } from '../../src/relay/post.ts';

const TIMEOUT_MS = 2_000;

let server: Server;
afterEach(() => void server.close());

/** What comes of a post to a server that answers with these bytes, and keeps the connection open or ends it. */
const postTo = async (answer: string, ends: boolean): Promise<PostResult> => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => (ends ? socket.end(answer) : socket.write(answer)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const posting = createPosting({ timeoutMs: TIMEOUT_MS, atOnce: 1 });
  try {
    const post = { href: `http://127.0.0.1:${port}/callbacks`, headers: {}, body: '{}' };
    return await posting.post(post, new AbortController().signal);
  } finally {
    posting.close();
  }
};

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const answered = (status: number): PostResult => ({ kind: 'answered', status, retryAfter: null });

test.each<[string, string, boolean, unknown]>([
  ['another protocol instead', SWITCHING, false, { kind: 'failed', why: 'no connection: closed' }],
  ['101 without another protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', true, answered(101)],
  ['no HTTP', 'hello\r\n\r\n', true, { kind: 'failed' }],
  ['nothing at all', '', true, { kind: 'failed' }],
  ['100 and then 204', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', false, answered(204)],
  ['a body that breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', true, answered(200)],
  ['no length', 'HTTP/1.0 200 OK\r\n\r\nall of it', true, answered(200)],
  ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n', false, answered(302)],
])('a shop that answers with %s is told apart', async (...[, answer, ends, result]) => {
  expect(await postTo(answer, ends)).toMatchObject(result as object);
});
