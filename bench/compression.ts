import { packRaw } from '../src/store/sqlite/raw.ts';
import { bodyOf, CLIENT_ID, makeKeyPair, PATH } from './notifications.ts';
import { signatureHeader } from '../src/antom/signing.ts';
import { constants, zstdCompressSync } from 'node:zlib';

/** CPU and bytes a notification, for raw notifications that are stored alone and in batches. */
const COUNT = 1_024;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const { privateKey } = makeKeyPair();
const requestTime = '2025-02-16T21:48:06-08:00';
const raws = Array.from({ length: COUNT }, (_, n) => {
  const body = bodyOf(n);
  const signature = signatureHeader({ method: 'POST', uri: PATH, clientId: CLIENT_ID, requestTime, body }, privateKey);
  return { method: 'POST', target: PATH, requestTime, signature, body };
});

const measure = (name: string, work: () => readonly Buffer[]): void => {
  work();
  const before = process.cpuUsage();
  const packed = work();
  const { user, system } = process.cpuUsage(before);
  const bytes = packed.reduce((sum, { length }) => sum + length, 0);
  process.stdout.write(
    `${name.padEnd(36)} ${((user + system) / COUNT).toFixed(1)} µs  ${Math.round(bytes / COUNT)} bytes\n`,
  );
};

const inBatches = (size: number): readonly Buffer[] =>
  Array.from({ length: COUNT / size }, (_, index) => packRaw(raws.slice(index * size, (index + 1) * size)));

const bodyBytes = Math.round(raws.reduce((sum, { body }) => sum + body.length, 0) / COUNT);
process.stdout.write(`a notification, with a body of ${bodyBytes} bytes on average:\n`);
measure('as it is', () => inBatches(1));
measure('compressed alone', () => raws.map((raw) => zstdCompressSync(packRaw([raw]), FAST)));
for (const size of [4, 16, 64]) measure(`compressed in batches of ${size}`, () => inBatches(size));
