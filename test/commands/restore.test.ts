import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Delivery, Store } from '../../src/store/store.ts';
import { openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { here, json, notified, ownPlace, payment } from './support.ts';
import { journalOf } from '../support/half-done.ts';
import { RULES } from '../support/rules.ts';

const place = ownPlace();
const AMPLE = { maxBytes: 1e9, maxNew: 1e6 };

const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const openAt = async (file: string): Promise<Store> => {
  const store = await openSqlite({ file, rules: RULES });
  opened.push(store);
  return store;
};

const deliveries = (...ids: readonly string[]): readonly Delivery[] =>
  ids.map((id) => notified(payment({ paymentId: id, paymentRequestId: `R-${id}` })));

const paymentsIn = (file: string): readonly string[] => {
  const db = new DatabaseSync(file, { readOnly: true });
  const ids = db.prepare('select payment_id as id from notifications order by payment_id').all();
  db.close();
  return ids.map(({ id }) => String(id));
};

interface Scene {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly file: string;
  readonly backup: string;
  /** What was left by a crash after the backup: P1 and P2 in file and log. */
  readonly leave: () => void;
}

/** P1 was backed up; P2 came since; then the service was killed. */
const prepare = async (): Promise<Scene> => {
  const { directory, env } = place();
  const file = join(directory, 'paynotify.db');
  const backup = join(directory, 'backup.db');
  const store = await openSqlite({ file, rules: RULES });
  await store.record(deliveries('P1'), AMPLE);
  await store.backup(backup);
  await store.record(deliveries('P2'), AMPLE);
  const crashed = join(directory, 'crashed');
  mkdirSync(crashed);
  for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, join(crashed, `paynotify.db${end}`));
  await store.close();
  return {
    directory,
    env,
    file,
    backup,
    leave: () => {
      for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
      cpSync(crashed, directory, { recursive: true });
    },
  };
};

/** Everything in a directory, by name. */
const contentsOf = (directory: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(directory)
      .filter((name) => statSync(join(directory, name)).isFile() && !name.endsWith('-shm'))
      .map((name) => [name, readFileSync(join(directory, name), 'base64')]),
  );

const keptIn = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => name.includes('.replaced-'));

/** Spoils one page, as a bad disk does. */
const damage = (file: string, name = 'notifications'): void => {
  const db = new DatabaseSync(file);
  const { rootpage } = db.prepare('select rootpage from sqlite_schema where name = ?').get(name) as {
    rootpage: number;
  };
  db.close();
  const bytes = readFileSync(file);
  bytes.fill(0xff, (rootpage - 1) * 4_096, rootpage * 4_096);
  writeFileSync(file, bytes);
};

describe('restore', () => {
  test('puts the backup in place, keeps what was there with its log in it, and copy --merge brings the rest back', async () => {
    const { directory, env, file, backup, leave } = await prepare();
    leave();
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    const { code, out } = await here(['restore', backup], env);
    expect(code).toBe(0);
    expect(paymentsIn(file)).toEqual(['P1']);
    const [kept = '', ...others] = keptIn(directory);
    expect(others).toEqual([]);
    expect(paymentsIn(join(directory, kept))).toEqual(['P1', 'P2']);
    for (const name of [file, join(directory, kept)]) expect(statSync(name).mode & 0o777).toBe(0o600);
    expect(out).toContain('acknowledged since the backup is only there');
    expect(out).toContain(`paynotify copy --merge --from sqlite:${join(directory, kept)}`);

    const store = await openAt(file);
    await store.record(deliveries('P3'), AMPLE);
    const merge = ['copy', '--merge', '--from', `sqlite:${join(directory, kept)}`];
    expect(await json(merge, env)).toMatchObject({ complete: true });
    expect(await json(merge, env)).toMatchObject({ complete: true });
    expect(paymentsIn(file)).toEqual(['P1', 'P2', 'P3']);
    expect(await store.recall('copy')).toBeNull();
    expect(await json(['orders', 'P2'], env)).toMatchObject({ status: 'AUTHORIZED' });
  });

  test('refuses while anybody has the database open, and changes nothing', async () => {
    const { directory, env, file, backup } = await prepare();
    await openAt(file);
    const before = contentsOf(directory);
    const { code, err } = await here(['restore', backup], env);
    expect(code).toBe(1);
    expect(err).toContain(`${file} is in use: stop the service`);
    expect(contentsOf(directory)).toEqual(before);
  });

  const NO_BACKUPS: readonly (readonly [string, (scene: Scene) => string, number, RegExp])[] = [
    ['that is not there', ({ directory }) => join(directory, 'none'), 1, /there is no file/],
    ['that is the database itself', ({ file }) => file, 1, /is the database itself/],
    [
      'that is no database',
      ({ backup }) => (writeFileSync(backup, 'x'.repeat(9_999)), backup),
      1,
      /name another backup, for .*not a database/,
    ],
    ['that is empty', ({ backup }) => (writeFileSync(backup, ''), backup), 1, /is empty/],
    [
      'that is damaged',
      ({ backup }) => (damage(backup), backup),
      1,
      /name another backup, for .*backup\.db is damaged/,
    ],
    [
      'that is a hand copy of a file in use',
      ({ directory }) => join(directory, 'crashed', 'paynotify.db'),
      1,
      /no backup/,
    ],
    [
      'that is a hand copy of a file in use, without its log',
      ({ directory }) => {
        rmSync(join(directory, 'crashed', 'paynotify.db-wal'));
        return join(directory, 'crashed', 'paynotify.db');
      },
      1,
      /no backup/,
    ],
  ];

  test.each(NO_BACKUPS)('refuses a backup %s, and changes nothing', async (...[, choose, exit, says]) => {
    const scene = await prepare();
    scene.leave();
    const backup = choose(scene);
    const before = contentsOf(scene.directory);
    const { code, err } = await here(['restore', backup], scene.env);
    expect(err).toMatch(says);
    expect(code).toBe(exit);
    expect(contentsOf(scene.directory)).toEqual(before);
  });

  test('mends a backup that was copied by hand beside a left-over log: both are kept, and the service starts', async () => {
    const { directory, env, file, backup, leave } = await prepare();
    leave();
    copyFileSync(backup, file);
    const log = readFileSync(`${file}-wal`);
    expect(await here(['orders'], env)).toMatchObject({ code: 78, err: expect.stringContaining('restore FILE') });
    const { code, out } = await here(['restore', backup], env);
    expect(code).toBe(0);
    const kept = keptIn(directory).find((name) => name.endsWith('-wal')) ?? '';
    expect(readFileSync(join(directory, kept)).equals(log)).toBe(true);
    expect(out).toContain(kept);
    expect(existsSync(`${file}-wal`)).toBe(false);
    const store = await openAt(file);
    await store.record(deliveries('P3'), AMPLE);
    expect(paymentsIn(file)).toEqual(['P1', 'P3']);
  });

  test.each([
    ['that is gone but for its log', (file: string) => rmSync(file)],
    ['that is no database any more', (file: string) => writeFileSync(file, 'x'.repeat(9_999))],
  ])('takes the place of a file %s, whose log is kept', async (_, spoil) => {
    const { directory, env, file, backup, leave } = await prepare();
    leave();
    const log = readFileSync(`${file}-wal`);
    spoil(file);
    expect((await here(['restore', backup], env)).code).toBe(0);
    const kept = keptIn(directory).find((name) => name.endsWith('-wal')) ?? '';
    expect(readFileSync(join(directory, kept)).equals(log)).toBe(true);
    expect(paymentsIn(file)).toEqual(['P1']);
  });

  test.each([
    ['an empty file', (file: string) => writeFileSync(file, '')],
    ['no file', (file: string) => rmSync(file)],
    ['a backup that was copied by hand', null],
  ])('a journal that undoes a change is kept, and does not undo the restore: beside %s', async (_, spoil) => {
    const { directory, env, file, backup, leave } = await prepare();
    leave();
    rmSync(`${file}-wal`);
    const journal = journalOf(file);
    if (spoil === null) copyFileSync(backup, file);
    else spoil(file);
    writeFileSync(`${file}-journal`, journal);
    const { code, out } = await here(['restore', backup], env);
    expect(code).toBe(0);
    const kept = keptIn(directory).find((name) => name.endsWith('-journal')) ?? '';
    expect(readFileSync(join(directory, kept)).equals(journal)).toBe(true);
    expect(out).toContain(kept);
    expect(paymentsIn(file)).toEqual(['P1']);
  });

  test('follows a symbolic link, and is for the owner of the database alone, also where that was not', async () => {
    const { directory, env, file, backup } = await prepare();
    mkdirSync(join(directory, 'elsewhere'));
    const real = join(directory, 'elsewhere', 'real.db');
    renameSync(file, real);
    symlinkSync(real, file);
    for (const path of [real, backup]) chmodSync(path, 0o644);
    // Only root can give it to another.
    const { uid, gid } = statSync(real);
    const owner = uid === 0 ? 1_234 : uid;
    chownSync(real, owner, gid);
    expect((await here(['restore', backup], env)).code).toBe(0);
    expect(readlinkSync(file)).toBe(real);
    expect(paymentsIn(file)).toEqual(['P1']);
    const names = readdirSync(dirname(real));
    expect(names).toEqual(['real.db', expect.stringMatching(/^real\.db\.replaced-/)]);
    for (const name of names) {
      const found = statSync(join(dirname(real), name));
      expect([name, found.uid, found.mode & 0o777]).toEqual([name, owner, 0o600]);
    }
  });

  test('takes the place of a database whose first page is damaged, and keeps it as it is', async () => {
    const { directory, env, file, backup } = await prepare();
    const bytes = readFileSync(file).fill(0xff, 100, 4_096);
    writeFileSync(file, bytes);
    expect((await here(['restore', backup], env)).code).toBe(0);
    expect(paymentsIn(file)).toEqual(['P1']);
    const [kept = ''] = keptIn(directory);
    expect(readFileSync(join(directory, kept)).equals(bytes)).toBe(true);
  });

  test('makes the database where there was none', async () => {
    const { directory, env, file, backup } = await prepare();
    renameSync(file, join(directory, 'elsewhere'));
    expect(await here(['restore', backup], env)).toMatchObject({ code: 0, out: expect.stringMatching(/^.*\n$/) });
    expect(paymentsIn(file)).toEqual(['P1']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('a log of the database before does not fit the restored one', async () => {
    const { env, file, backup, leave } = await prepare();
    leave();
    const log = readFileSync(`${file}-wal`);
    expect((await here(['restore', backup], env)).code).toBe(0);
    writeFileSync(`${file}-wal`, log);
    await expect(openSqlite({ file, rules: RULES })).rejects.toThrow('is not the log of');
  });

  test('is for SQLite', async () => {
    const { code, err } = await here(['restore', 'x'], { ...place().env, DATABASE_URL: 'postgres://localhost/x' });
    expect(code).toBe(64);
    expect(err).toContain('pg_restore');
  });
});

test('a backup of a damaged database is thrown away, and the one before stays', async () => {
  const { directory, env, file, backup } = await prepare();
  const earlier = readFileSync(backup);
  damage(file, 'notifications_by_payment');
  const { code, err } = await here(['backup', join(directory, 'second.db')], env);
  expect(code).toBe(1);
  expect(err).toMatch(/the database is damaged.*restore FILE/);
  expect(readdirSync(directory).filter((name) => /second|part/.test(name))).toEqual([]);
  expect(readFileSync(backup).equals(earlier)).toBe(true);
});
