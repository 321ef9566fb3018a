import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACKNOWLEDGEMENT, createSigner, eventually } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import {
  COMMAND,
  endPrograms,
  environmentOf,
  idOf,
  makeDirectory,
  query,
  removeDirectory,
  startProcessReady,
} from '../support/receiver.ts';

const directory = makeDirectory();
afterAll(async () => {
  await endPrograms();
  removeDirectory(directory);
});

const requireStrace = (): void => {
  const { error, status } = spawnSync('strace', ['-V']);
  if (error !== undefined || status !== 0)
    throw new Error('this test reads system calls with strace, which is missing: apt-get install strace');
};

interface Call {
  readonly name: string;
  /** What strace printed of it. */
  readonly text: string;
  /** Seconds since the epoch. */
  readonly began: number;
  readonly returned: number;
}

/**
 * `PID TIME name(values) = result <duration>`; a call that another thread interrupted is printed as
 * `… <unfinished ...>` and, on return, `<... name resumed>…`.
 */
const callsOf = (trace: string): readonly Call[] => {
  const open = new Map<string, string>();
  return trace.split('\n').flatMap((line): readonly Call[] => {
    const [, pid = '', at = '', rest = ''] = /^(\d+)\s+(\d+\.\d+) (.*)$/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      open.set(pid, `${at} ${rest}`);
      return [];
    }
    const begun = rest.startsWith('<... ') ? (open.get(pid) ?? '') : `${at} ${rest}`;
    const [, began = '', name = ''] = /^(\d+\.\d+) (\w+)\(/.exec(begun) ?? [];
    const duration = /<(\d+\.\d+)>$/.exec(rest)?.[1];
    if (name === '' || duration === undefined) return [];
    return [{ name, text: `${begun} ${rest}`, began: Number(began), returned: Number(began) + Number(duration) }];
  });
};

const isAcknowledgement = ({ name, text }: Call): boolean =>
  /^(write|writev|sendto|sendmsg)$/.test(name) && text.includes('TCP') && text.includes('resultCode');

test("the write-ahead log's fdatasync has returned before the acknowledgement is written to the socket", async () => {
  requireStrace();
  const traceFile = join(directory, 'trace');
  const signer = createSigner();
  // Microseconds, paths and sockets by name, and strings long enough to show a page of the log whole.
  const strace = [
    'strace',
    '-f',
    '-ttt',
    '-T',
    '-yy',
    '-s',
    '8192',
    '-o',
    traceFile,
    '-e',
    'trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64,pwritev',
  ] as const;
  const receiver = await startProcessReady(environmentOf(directory, signer), [...strace, ...COMMAND]);
  // One lone request, its bytes known: everything about it can be told apart in the trace.
  const post = signer.sign(paymentResult('S', { paymentId: 'P-traced' }));
  expect(await receiver.post(post)).toMatchObject({ status: 200, text: ACKNOWLEDGEMENT });

  const calls = await eventually(
    'the acknowledgement in the trace',
    () => callsOf(readFileSync(traceFile, 'utf8')),
    (found) => found.some(isAcknowledgement),
  );
  const acknowledgements = calls.filter(isAcknowledgement);
  expect(acknowledgements).toHaveLength(1);
  const [acknowledgement] = acknowledgements as [Call];

  const log = calls.filter(({ text }) => text.includes('paynotify.db-wal'));
  const written = log.filter(
    ({ name, text, began }) => name.startsWith('pwrite') && text.includes('P-traced') && began < acknowledgement.began,
  );
  expect(written.length).toBeGreaterThan(0);
  // There is one writer: what syncs next is the COMMIT of these pages. What the service writes for itself, in
  // transactions of its own, may come at the same time as the acknowledgement.
  const lastWritten = Math.max(...written.map(({ returned }) => returned));
  const synced = log.filter(
    ({ name, began, text }) => /^f(data)?sync$/.test(name) && began >= lastWritten && / = 0 </.test(text),
  );
  const first = Math.min(...synced.map(({ returned }) => returned));
  expect({ syncedAfter: first - lastWritten > 0, acknowledgedAfter: acknowledgement.began - first > 0 }).toEqual({
    syncedAfter: true,
    acknowledgedAfter: true,
  });

  expect(query(directory, 'select lower(hex(digest)) as id from notifications')).toMatchObject([
    { id: idOf(post.body) },
  ]);
  receiver.kill('SIGKILL');
  await receiver.exited;
});
