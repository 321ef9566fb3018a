import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql, startServer, type TestServer } from '../support/postgres.ts';
import { here, json, ownPlace } from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const place = ownPlace();

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => await server.stop());

describe('migrate', () => {
  const databases = [
    ['SQLite', [1], () => Promise.resolve(place().env['DATABASE_URL'] as string)],
    ['PostgreSQL', [1], async () => await server.createDatabase()],
  ] as const;

  test.each(databases)(
    'makes the schema on %s and says so; a second time there is nothing to do',
    async (_name, applied, create) => {
      const version = applied.length;
      const env = { DATABASE_URL: await create() };
      expect(await json(['migrate'], env)).toEqual({ version, applied });
      expect(await json(['migrate'], env)).toEqual({ version, applied: [] });
      expect((await here(['migrate'], env)).out).toBe(
        `The schema is at version ${version}; there was nothing to apply.\n`,
      );
      expect(await json(['orders'], env)).toEqual({ items: [], next: null });
    },
  );

  test('says what it applied', async () => {
    const env = { DATABASE_URL: await server.createDatabase() };
    expect(await here(['migrate'], env)).toMatchObject({ code: 0, out: 'The schema is at version 1; applied 1.\n' });
  });

  test('refuses a database that needs a newer program', async () => {
    const { directory, env } = place();
    await here(['migrate'], env);
    const db = new DatabaseSync(join(directory, 'paynotify.db'));
    db.exec("insert into migrations values (9, 9, 'newer')");
    db.close();
    const url = await server.createDatabase();
    await here(['migrate'], { DATABASE_URL: url });
    await sql(url, "insert into migrations values (9, 9, 'newer')");
    for (const [DATABASE_URL, where] of [
      [env['DATABASE_URL'], ''],
      [url, `DATABASE_URL (${new URL(url).host}, user postgres, database ${new URL(url).pathname.slice(1)}): `],
    ] as const) {
      expect(await here(['migrate'], { DATABASE_URL })).toMatchObject({
        code: 78,
        err: `error: ${where}the database was migrated to version 9, which needs a newer paynotify (at least schema 9; this one knows 1)\n`,
      });
    }
  });

  test('says why a database cannot be opened', async () => {
    const { directory } = place();
    const { code, err } = await here(['migrate'], { DATABASE_URL: `sqlite:${directory}` });
    expect({ code, err }).toEqual({ code: 78, err: expect.stringContaining(`${directory} is not a file`) });
    expect((await here(['migrate'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' })).code).toBe(1);
  });

  test('says it once', async () => {
    const [one, two] = [1, 2].map(
      (port) =>
        `DATABASE_URL (127.0.0.1:${port}, user nobody, database none): PostgreSQL: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(await here(['migrate'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1,127.0.0.1:2/none' })).toMatchObject({
      code: 1,
      err: `error: ${one}; ${two}\n`,
    });
    // No file of this process may grow beyond a few blocks.
    const { directory, env } = place();
    const limited = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath, CLI, 'migrate'];
    expect(spawnSync('sh', limited, { cwd: directory, env: { ...env }, encoding: 'utf8' })).toMatchObject({
      status: 1,
      stderr: `error: ${directory}/paynotify.db cannot be opened: disk I/O error\n`,
    });
  });
});
