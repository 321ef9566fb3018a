import { diagnosing } from '../src/antom/diagnose.ts';
import type { DiagnosisTrust } from '../src/antom/diagnosis.ts';
import { readKey } from '../src/antom/keys.ts';
import type { SignedRequest } from '../src/antom/signature.ts';
import { signatureHeader } from '../src/antom/signing.ts';
import { bodyOf, CLIENT_ID, makeKeyPair, PATH } from './notifications.ts';
import { median } from './ratios.ts';

/*
 * What a diagnosis costs, CPU in all and the longest step: between two steps a request is served. The service makes at
 * most two a second. `npm run bench:diagnosis`
 */
const ROUNDS = 20;
const requestTime = '2025-02-16T21:48:06-08:00';
const [apo, other] = [makeKeyPair(), makeKeyPair()];
const trust: DiagnosisTrust = {
  keys: new Map([[CLIENT_ID, [readKey(apo.publicKey)]]]),
  publicUris: ['/shop/payNotify', '/shop/payNotify?shop=1'],
  notifyPaths: [PATH],
};

const requestOf = (body: Uint8Array, { privateKey } = apo): SignedRequest => ({
  method: 'POST',
  target: PATH,
  clientIds: [CLIENT_ID],
  requestTimes: [requestTime],
  signatures: [
    signatureHeader(
      { method: 'POST', uri: PATH, clientId: CLIENT_ID, requestTime, body: Buffer.from(body) },
      privateKey,
    ),
  ],
  body,
});

/** Nothing that is tried explains it: all of it is tried. */
const unexplained = (received: Uint8Array): SignedRequest => ({ ...requestOf(Buffer.of(1)), body: received });

/** As large as what is stored may be, and with everything in it that is written in several ways. */
const large = (item: string): Buffer =>
  Buffer.from(
    `[${Array(Math.floor(32_000 / (item.length + 1)))
      .fill(item)
      .join(',')}]`,
  );
const deep = `${'['.repeat(60)}${'1,'.repeat(40)}1${']'.repeat(60)}`;

/** Milliseconds of CPU: what else the machine does stays out. */
const cpu = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

const measure = (name: string, request: SignedRequest): void => {
  const costs: number[] = [];
  const longest: number[] = [];
  let code = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const steps = diagnosing(request, trust);
    const lengths: number[] = [];
    const before = process.cpuUsage();
    for (;;) {
      const began = process.cpuUsage();
      const { done, value } = steps.next();
      lengths.push(cpu(began));
      if (done !== true) continue;
      ({ code } = value);
      break;
    }
    costs.push(cpu(before));
    longest.push(Math.max(...lengths));
  }
  process.stdout.write(
    `${name.padEnd(36)}${code.padEnd(20)}${median(costs).toFixed(1).padStart(6)} ms, longest step ${median(longest).toFixed(1)} ms\n`,
  );
};

const body = bodyOf(1);
process.stdout.write(`a diagnosis, with a body of ${body.length} bytes; medians of ${ROUNDS}:\n`);
measure('another key', requestOf(body, other));
measure('JSON written again', {
  ...requestOf(body),
  body: Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 2)),
});
measure('nothing fits', unexplained(body));
measure('nothing fits, 32 KB of numbers', unexplained(large('1')));
measure('nothing fits, 32 KB of escapes', unexplained(large(String.raw`"\u00e9\/é"`)));
measure('nothing fits, 32 KB of deep JSON', unexplained(large(deep)));
