import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which Linux takes the ports of `listen(0)` and of outgoing connections. */
const FROM = 10_000;
const TO = 32_000;

/**
 * A port for what must know it beforehand, or come back to it: free now, and of no interest to anybody who lets the
 * system choose.
 */
export const freePort = async (): Promise<number> => {
  const port = randomInt(FROM, TO);
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
