import { expect, test } from '@jest/globals';
import { freePort } from './port.ts';

test('a port is given once', async () => {
  const ports = new Set<number>();
  for (let count = 0; count < 1_000; count += 1) ports.add(await freePort());
  expect(ports.size).toBe(1_000);
});
