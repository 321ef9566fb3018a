import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which Linux takes the ports of `listen(0)` and of outgoing connections. */
const FROM = 10_000;
const TO = 32_000;
/** Jest's workers run at the same time, numbered from 1: each has a part of its own. */
const PARTS = 8;
const PART = (TO - FROM) / PARTS;
const FIRST = FROM + (Number(process.env['JEST_WORKER_ID'] ?? 0) % PARTS) * PART;
let next = randomInt(PART);

/**
 * A port for what must know it beforehand, or come back to it: free now, of no interest to anybody who lets the system
 * choose, and not given to anybody else.
 */
export const freePort = async (): Promise<number> => {
  const port = FIRST + next;
  next = (next + 1) % PART;
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return port;
  } catch {
    return await freePort();
  } finally {
    server.close();
  }
};
