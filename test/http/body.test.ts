import { expect, test } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { createBodyReader } from '../../src/http/body.ts';
import { QUEUE_BYTES } from '../../src/inbox/queue.ts';

test('two of the largest bodies that BODY_LIMIT allows come whole at the same time, in pieces', async () => {
  const read = createBodyReader(QUEUE_BYTES);
  const requests = [1, 2].map(() => new IncomingMessage(new Socket()));
  const bodies = requests.map(read);
  const half = Buffer.alloc(QUEUE_BYTES / 2);
  for (let piece = 0; piece < 2; piece += 1) for (const request of requests) request.push(half);
  for (const request of requests) request.push(null);
  expect((await Promise.all(bodies)).map((body) => (typeof body === 'string' ? body : body.length))).toEqual([
    QUEUE_BYTES,
    QUEUE_BYTES,
  ]);
});
