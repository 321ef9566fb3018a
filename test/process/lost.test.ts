import { afterAll, expect, test } from '@jest/globals';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { createPool, createSigner, eventually, type Post, send } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import {
  becomesReady,
  endPrograms,
  environmentOf,
  fileIn,
  idOf,
  makeDirectory,
  query,
  type ReceiverProcess,
  removeDirectories,
  runProgram,
  startProcessReady,
} from '../support/receiver.ts';
import { RULES } from '../support/rules.ts';

const signer = createSigner();
const endings: (() => void)[] = [];
afterAll(async () => {
  for (const end of endings) end();
  await endPrograms();
  removeDirectories();
});

/** Goes on sending; knows of everything acknowledged whether it was sent before or after the mishap. */
interface Load {
  readonly mishap: () => void;
  /** Resolves with what was acknowledged since it was called last. */
  readonly more: () => Promise<void>;
  readonly stop: () => Promise<{ readonly before: readonly Post[]; readonly after: readonly Post[] }>;
}

let made = 0;
const startLoad = ({ address }: ReceiverProcess): Load => {
  const [before, after]: [Post[], Post[]] = [[], []];
  const pool = createPool(4);
  let hasHappened = false;
  const ending = new AbortController();
  const deliver = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const post = signer.sign(paymentResult('S', { paymentId: `P${(made += 1)}` }));
      const list = hasHappened ? after : before;
      try {
        if ((await send(address, post, pool)).status === 200) list.push(post);
        await pause(40);
      } catch {
        await pause(20);
      }
    }
  };
  const connections = Array.from({ length: 4 }, deliver);
  endings.push(() => ending.abort());
  return {
    mishap: () => {
      hasHappened = true;
    },
    more: async () => {
      const count = before.length + after.length;
      await eventually(
        'more acknowledged',
        () => before.length + after.length,
        (now) => now > count + 20,
      );
    },
    stop: async () => {
      ending.abort();
      await Promise.all(connections);
      pool.destroy();
      return { before, after };
    },
  };
};

const missingIn = (directory: string, posts: readonly Post[]): readonly string[] => {
  const stored = new Set(
    query(directory, 'select lower(hex(digest)) as id from notifications').map(({ id }) => String(id)),
  );
  return posts.map(({ body }) => idOf(body)).filter((id) => !stored.has(id));
};

const becomesUnavailable = async ({ readiness }: ReceiverProcess): Promise<void> => {
  await eventually('store unavailable', readiness, ({ state }) => state === 'store unavailable');
};

const saysPath = async ({ log }: ReceiverProcess, path: string): Promise<void> => {
  await eventually('a line with the path', log, (lines) =>
    lines.some(({ level, error }) => Number(level) >= 50 && String(error).includes(path)),
  );
};

interface Scene {
  readonly directory: string;
  readonly file: string;
  readonly receiver: ReceiverProcess;
  readonly load: Load;
}

/** Runs under load, lets something happen to the files, and goes on. */
const begin = async (): Promise<Scene> => {
  // A folder below, so that it can be moved too.
  const directory = join(makeDirectory(), 'data');
  const receiver = await startProcessReady(environmentOf(directory, signer));
  const load = startLoad(receiver);
  await load.more();
  return { directory, file: fileIn(directory), receiver, load };
};

/** An intact database of paynotify, closed. */
const makeBackup = async (): Promise<string> => {
  const file = fileIn(makeDirectory());
  await (await openSqlite({ file, rules: RULES })).close();
  return file;
};

const AWAY: readonly (readonly [string, (directory: string) => readonly [from: string, to: string]])[] = [
  ['the file', (directory) => [fileIn(directory), `${fileIn(directory)}.away`]],
  ['the directory', (directory) => [directory, `${directory}.away`]],
];

test.concurrent.each(AWAY)(
  '%s moved away and back: nothing is acknowledged meanwhile, nothing is made in its place, nothing is lost',
  async (_, pathsOf) => {
    const { directory, file, receiver, load } = await begin();
    const [from, to] = pathsOf(directory);
    renameSync(from, to);
    await becomesUnavailable(receiver);
    await saysPath(receiver, file);
    const answer = await receiver.post(signer.sign(paymentResult('S', { paymentId: 'away' })));
    expect(answer.status).toBe(503);
    await pause(1_500);
    expect(existsSync(from)).toBe(false);
    renameSync(to, from);
    await becomesReady(receiver);
    await load.more();
    receiver.kill('SIGKILL');
    const { before } = await load.stop();
    const again = await startProcessReady(environmentOf(directory, signer));
    expect(missingIn(directory, before)).toEqual([]);
    again.kill('SIGTERM');
    expect(await again.exited).toBe(0);
  },
  60_000,
);

/** The last is what stood in its place: it is kept. */
const LOG_LOST: readonly (readonly [string, (file: string) => void, readonly string[]])[] = [
  ['removed', (file) => rmSync(`${file}-wal`), []],
  [
    'removed with its index',
    (file) => {
      rmSync(`${file}-wal`);
      rmSync(`${file}-shm`);
    },
    [],
  ],
  [
    'exchanged',
    (file) => {
      writeFileSync(`${file}-other`, "somebody else's");
      renameSync(`${file}-other`, `${file}-wal`);
    },
    ["somebody else's"],
  ],
];

test.concurrent.each(LOG_LOST)(
  'the log %s: it goes into the file from memory, and nothing is lost',
  async (_, mishap, stood) => {
    const { directory, file, receiver, load } = await begin();
    // The reader has the files open as well.
    expect((await receiver.read('/api/orders')).status).toBe(200);
    mishap(file);
    load.mishap();
    await load.more();
    await becomesReady(receiver);
    await saysPath(receiver, `${file}-wal`);
    expect((await receiver.read('/api/orders')).status).toBe(200);
    receiver.kill('SIGKILL');
    const { before, after } = await load.stop();
    expect(after.length).toBeGreaterThan(0);
    const aside = readdirSync(directory).filter((name) => /-wal\.\d+$/.test(name));
    expect(aside.map((name) => readFileSync(join(directory, name), 'utf8'))).toEqual(stood);
    const again = await startProcessReady(environmentOf(directory, signer));
    expect(missingIn(directory, [...before, ...after])).toEqual([]);
    expect(query(directory, 'pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
    again.kill('SIGTERM');
    expect(await again.exited).toBe(0);
  },
  60_000,
);

test.concurrent('the file removed: nothing is acknowledged any more, none is made, and a start refuses the log without it', async () => {
  const { directory, file, receiver, load } = await begin();
  rmSync(file);
  load.mishap();
  await becomesUnavailable(receiver);
  await pause(1_500);
  expect(existsSync(file)).toBe(false);
  const { after } = await load.stop();
  expect(after).toEqual([]);
  receiver.kill('SIGTERM');
  expect(await receiver.exited).toBe(0);
  expect(existsSync(file)).toBe(false);
  const program = runProgram(environmentOf(directory, signer));
  expect(await program.exited).toBe(78);
  expect(program.output().stdout).toContain(`${file} is gone`);
}, 60_000);

test.concurrent('the directory exchanged for one with a backup: what is acknowledged since is in the backup, what was before in the old', async () => {
  const backup = await makeBackup();
  const { directory, receiver, load } = await begin();
  expect((await receiver.read('/api/orders')).status).toBe(200);
  const other = `${directory}.other`;
  mkdirSync(other);
  copyFileSync(backup, fileIn(other));
  renameSync(directory, `${directory}.old`);
  renameSync(other, directory);
  load.mishap();
  await load.more();
  await becomesReady(receiver);
  receiver.kill('SIGTERM');
  const { before, after } = await load.stop();
  expect(await receiver.exited).toBe(0);
  expect(after.length).toBeGreaterThan(0);
  // The last that were sent before may have been stored in either.
  const old = new Set(missingIn(`${directory}.old`, before));
  expect(missingIn(directory, before).filter((id) => old.has(id))).toEqual([]);
  const again = await startProcessReady(environmentOf(directory, signer));
  expect(missingIn(directory, after)).toEqual([]);
  again.kill('SIGTERM');
  expect(await again.exited).toBe(0);
}, 60_000);

const DAMAGING: readonly (readonly [string, (file: string, backup: string) => void, RegExp])[] = [
  [
    'a backup put in the place of the file, beside its log',
    (file, backup) => {
      copyFileSync(backup, `${file}.new`);
      renameSync(`${file}.new`, file);
    },
    /is not the log of/,
  ],
  ['a backup copied over the file', (file, backup) => copyFileSync(backup, file), /is not the log of/],
  ['another file copied over the log', (file) => writeFileSync(`${file}-wal`, 'x'.repeat(100_000)), /was not closed/],
  ['the log truncated', (file) => truncateSync(`${file}-wal`), /was not closed/],
];

test.concurrent.each(DAMAGING)(
  '%s: exit 78, and neither file nor log is written any more',
  async (_, mishap, saysNext) => {
    const backup = await makeBackup();
    const { directory, file, receiver, load } = await begin();
    mishap(file, backup);
    load.mishap();
    expect(await receiver.exited).toBe(78);
    const { after } = await load.stop();
    const line = receiver.log().find(({ level }) => level === 60);
    expect(line?.['problem']).toMatch(/^DATABASE_URL: .*paynotify restore FILE/);
    if (readFileSync(file).equals(readFileSync(backup))) {
      const program = runProgram(environmentOf(directory, signer));
      expect(await program.exited).toBe(78);
      expect(program.output().stdout).toMatch(saysNext);
      expect(readFileSync(file).equals(readFileSync(backup))).toBe(true);
    } else {
      // The file was not touched: it is opened, and it is said that something is missing.
      const again = await startProcessReady(environmentOf(directory, signer));
      await eventually(
        'a line that says so',
        () => again.output().stdout,
        (stdout) => saysNext.test(stdout),
      );
      expect(query(directory, 'pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
      again.kill('SIGTERM');
      expect(await again.exited).toBe(0);
    }
    expect(after).toEqual([]);
  },
  60_000,
);
