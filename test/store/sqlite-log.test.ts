import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inspect } from '../../src/store/sqlite/inspect.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { migrateSqlite, openSqlite } from '../../src/store/sqlite/sqlite-store.ts';
import { StoreUnusableError } from '../../src/store/store.ts';
import { paymentResult } from '../support/facts.ts';
import { journalOf } from '../support/half-done.ts';
import { record, RULES } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'paynotify-'));
afterAll(() => rmSync(directory, { recursive: true }));

let made = 0;
const fresh = (): string => {
  const place = join(directory, String((made += 1)));
  mkdirSync(place);
  return join(place, 'paynotify.db');
};

/** What a crash leaves, or a hand that copies: the files as they are at one moment. */
interface Image {
  readonly file: string;
  readonly log: string | null;
  /** All that is in both together. */
  readonly bodies: readonly string[];
}

const bodiesIn = (file: string): readonly string[] => {
  const db = new DatabaseSync(file);
  try {
    const [checked] = db.prepare('pragma integrity_check').all();
    if (checked?.['integrity_check'] !== 'ok') return ['damaged'];
    return db
      .prepare('select hex(digest) as digest from notifications order by digest')
      .all()
      .map((row) => String(row['digest']));
  } finally {
    db.close();
  }
};

const copyPair = (file: string, log: string | null): string => {
  const copy = fresh();
  copyFileSync(file, copy);
  if (log !== null) copyFileSync(log, `${copy}-wal`);
  return copy;
};

const imageOf = (file: string): Image => {
  const log = existsSync(`${file}-wal`) ? `${file}-wal` : null;
  const copy = copyPair(file, log);
  return { file: copy, log: log === null ? null : `${copy}-wal`, bodies: bodiesIn(copyPair(file, log)) };
};

/** A life of one database: opened, written to, and left behind or closed, again and again. */
const live = async (rounds: number, images: Image[], backups: Image[]): Promise<void> => {
  const file = fresh();
  for (let round = 0; round < rounds; round += 1) {
    const store = await openSqlite({ file, rules: RULES });
    images.push(imageOf(file));
    for (let batch = 0; batch < 3; batch += 1) {
      await record(
        store,
        ...Array.from({ length: 20 }, (_, index) =>
          paymentResult('S', { paymentId: `P${made}-${round}-${batch}-${index}` }),
        ),
      );
      images.push(imageOf(file));
    }
    const backup = fresh();
    await store.backup(backup);
    backups.push({ file: backup, log: null, bodies: bodiesIn(backup) });
    await store.close();
    images.push(imageOf(file));
  }
};

const isRefused = (file: string): boolean => {
  try {
    inspect(file, MIGRATIONS);
    return false;
  } catch (error) {
    if (error instanceof StoreUnusableError) return true;
    throw error;
  }
};

describe('a file and a log', () => {
  const images: Image[] = [];
  const backups: Image[] = [];
  beforeAll(async () => {
    await live(3, images, backups);
    await live(1, images, backups);
  });

  test('as a crash leaves them are opened, with all that was in them', () => {
    expect(images.length).toBeGreaterThan(12);
    for (const { file, log, bodies } of images) {
      const copy = copyPair(file, log);
      expect(inspect(copy, MIGRATIONS).state).toBe(log === null ? 'closed' : 'with log');
      migrateSqlite(copy);
      expect(bodiesIn(copy)).toEqual(bodies);
    }
  });

  test('that do not belong together are refused, or together are what the log belongs to', () => {
    const logs = images.filter(({ log }) => log !== null);
    let refused = 0;
    for (const { log, bodies } of logs) {
      for (const { file } of [...images, ...backups]) {
        const copy = copyPair(file, log);
        if (isRefused(copy)) refused += 1;
        else expect(bodiesIn(copy)).toEqual(bodies);
      }
    }
    expect(refused).toBeGreaterThan(logs.length * 8);
  });

  test('of which the file is a backup are always refused, and left as they were', () => {
    const logs = images.filter(({ log }) => log !== null);
    for (const { log } of logs) {
      for (const { file } of backups) {
        const copy = copyPair(file, log);
        const before = [copy, `${copy}-wal`].map((path) => statSync(path).mtimeMs);
        expect(() => migrateSqlite(copy)).toThrow(/is not the log of .*paynotify restore/);
        expect([copy, `${copy}-wal`].map((path) => statSync(path).mtimeMs)).toEqual(before);
      }
    }
  });

  test('without the file: refused, and the log is not removed', () => {
    const { log } = images.findLast((image) => image.log !== null) as Image;
    for (const make of [() => {}, (file: string) => writeFileSync(file, '')]) {
      const file = fresh();
      copyFileSync(log as string, `${file}-wal`);
      make(file);
      expect(() => migrateSqlite(file)).toThrow(/is gone, and .*-wal still holds some of it/);
      expect(statSync(`${file}-wal`).size).toBe(statSync(log as string).size);
    }
  });

  test('without the log, copied by hand: opened where it is intact, and that is said', async () => {
    const withLog = images.filter(({ log }) => log !== null);
    for (const { file } of withLog) {
      const copy = copyPair(file, null);
      const notices: string[] = [];
      const store = await openSqlite({ file: copy, rules: RULES, onNotice: (notice) => notices.push(notice) });
      await store.close();
      expect(notices).toEqual([expect.stringContaining('was not closed, and its log')]);
      // It has been closed now.
      expect(inspect(copy, MIGRATIONS).state).toBe('closed');
    }
  });
});

const paid = (paymentId: string) => paymentResult('S', { paymentId, paymentRequestId: `R${paymentId}` });

const openIdle = async () => {
  const file = fresh();
  const store = await openSqlite({ file, rules: RULES });
  await record(store, paid('A1'));
  return { file, store };
};

describe('the files of an idle store at its close', () => {
  test('a log that was removed goes into the file', async () => {
    const { file, store } = await openIdle();
    rmSync(`${file}-wal`);
    await store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(inspect(file, MIGRATIONS).state).toBe('closed');
    expect(bodiesIn(file)).toHaveLength(1);
  });

  test('a log that was removed while another program reads leaves the file whole, as of the log before', async () => {
    const { file, store: first } = await openIdle();
    await first.close();
    const store = await openSqlite({ file, rules: RULES });
    for (let number = 1; number <= 60; number += 1) await record(store, paid(`B${number}`));
    const other = new DatabaseSync(file, { readOnly: true });
    other.exec('begin; select count(*) from notifications');
    await record(store, paid('C1'));
    rmSync(`${file}-wal`);
    await store.close();
    other.exec('rollback');
    other.close();
    const left = copyPair(file, existsSync(`${file}-wal`) ? `${file}-wal` : null);
    const db = new DatabaseSync(left);
    expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(db.prepare("select count(*) as found from orders where order_key = 'A1'").get()).toEqual({ found: 1 });
    db.close();
  });

  test('a log that was exchanged goes into the file, and what stands there is kept', async () => {
    const { file, store } = await openIdle();
    writeFileSync(`${file}-other`, "somebody else's");
    renameSync(`${file}-other`, `${file}-wal`);
    await store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(inspect(file, MIGRATIONS).state).toBe('closed');
    expect(bodiesIn(file)).toHaveLength(1);
    const kept = readdirSync(dirname(file)).find((name) => /-wal\.\d+$/.test(name)) ?? '';
    expect(readFileSync(join(dirname(file), kept), 'utf8')).toBe("somebody else's");
  });

  test.each<readonly [string, (file: string, backup: string) => string]>([
    ['over which a backup was copied', (file, backup) => (copyFileSync(backup, file), file)],
    ['over which something else was copied', (file) => (writeFileSync(file, 'x'.repeat(100_000)), file)],
    [
      'over whose log that of another was copied',
      (file, backup) => (copyFileSync(`${backup}-wal`, `${file}-wal`), file),
    ],
    ['that was moved away', (file) => (renameSync(file, `${file}.away`), `${file}.away`)],
    [
      'whose place another took',
      (file, backup) => {
        renameSync(file, `${file}.away`);
        copyFileSync(backup, file);
        return file;
      },
    ],
  ])('a file %s stays as it is, and so does the log', async (_, mishap) => {
    const [{ file, store }, another] = [await openIdle(), await openIdle()];
    const backup = fresh();
    await store.backup(backup);
    copyFileSync(`${another.file}-wal`, `${backup}-wal`);
    await another.store.close();
    await record(store, paid('A2'));
    const left = [mishap(file, backup), `${file}-wal`];
    const before = left.map((path) => readFileSync(path));
    await store.close();
    expect(left.map((path, index) => readFileSync(path).equals(before[index] as Buffer))).toEqual([true, true]);
  });
});

/** In the head of a journal: how many pages the file had before. */
const PAGES_BEFORE_AT = 16;

test.each([0, 1])('a file that was being made into a database is made again (it had %i pages)', async (pages) => {
  const file = fresh();
  const db = new DatabaseSync(file);
  db.exec('pragma user_version = 1');
  db.close();
  const journal = journalOf(file);
  journal.writeUInt32BE(pages, PAGES_BEFORE_AT);
  writeFileSync(`${file}-journal`, journal);
  const store = await openSqlite({ file, rules: RULES });
  await record(store, paymentResult('S', { paymentId: 'P1' }));
  await store.close();
  expect(bodiesIn(file)).toHaveLength(1);
  expect(existsSync(`${file}-journal`)).toBe(false);
});

test('a file beside a journal that undoes a change is refused, and both stay as they were', async () => {
  const file = fresh();
  const store = await openSqlite({ file, rules: RULES });
  await store.close();
  writeFileSync(`${file}-journal`, journalOf(file));
  const before = [file, `${file}-journal`].map((path) => readFileSync(path));
  const refused = openSqlite({ file, rules: RULES });
  await expect(refused).rejects.toThrow(StoreUnusableError);
  await expect(refused).rejects.toThrow(/-journal undoes a change of .* that the machine did not finish/);
  expect([file, `${file}-journal`].map((path) => readFileSync(path))).toEqual(before);
});

test('a file that is damaged and has no log is refused', async () => {
  const file = fresh();
  const store = await openSqlite({ file, rules: RULES });
  await record(store, ...Array.from({ length: 200 }, (_, index) => paymentResult('S', { paymentId: `P${index}` })));
  await store.close();
  const copy = copyPair(file, null);
  const db = new DatabaseSync(copy);
  db.exec('update place set closed = 0');
  const { rootpage } = db
    .prepare("select rootpage from sqlite_schema where name = 'notifications_by_payment'")
    .get() as {
    rootpage: number;
  };
  db.close();
  const bytes = readFileSync(copy);
  bytes.fill(0xff, (rootpage - 1) * 4096, rootpage * 4096);
  writeFileSync(copy, bytes);
  expect(() => migrateSqlite(copy)).toThrow(/is damaged .*paynotify restore/);
});

test('a database that somebody took the row of its log from is refused', async () => {
  const file = fresh();
  migrateSqlite(file);
  const db = new DatabaseSync(file);
  db.exec('delete from place');
  db.close();
  expect(() => migrateSqlite(file)).toThrow(/is damaged \(its table place is empty\).*paynotify restore/);
});

test('database, log and index are for their owner alone, also where they were not', async () => {
  const file = fresh();
  const modes = (): readonly string[] =>
    readdirSync(join(file, '..')).map(
      (name) => `${name} ${(statSync(join(file, '..', name)).mode & 0o777).toString(8)}`,
    );
  const store = await openSqlite({ file, rules: RULES });
  expect(modes()).toEqual(['paynotify.db 600', 'paynotify.db-shm 600', 'paynotify.db-wal 600']);
  await store.close();
  chmodSync(file, 0o644);
  const again = await openSqlite({ file, rules: RULES });
  expect(modes()).toEqual(['paynotify.db 600', 'paynotify.db-shm 600', 'paynotify.db-wal 600']);
  await again.close();
});
