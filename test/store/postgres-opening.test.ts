import { setTimeout as after } from 'node:timers/promises';
import { afterAll, describe, expect, test } from '@jest/globals';
import { sessionFor } from '../../src/store/postgres/connect.ts';
import { migratePostgres, openPostgres, openPostgresSource } from '../../src/store/postgres/index.ts';
import { openOnAny } from '../../src/store/postgres/session.ts';
import { StoreUnavailableError, StoreUnusableError } from '../../src/store/store.ts';
import { createSigner, eventually } from '../support/client.ts';
import { jpy, paymentResult } from '../support/facts.ts';
import { sql } from '../support/postgres.ts';
import {
  becomesReady,
  endPrograms,
  environmentOf,
  makeDirectory,
  removeDirectories,
  runProgram,
  startReceiver,
} from '../support/receiver.ts';
import { serveTls } from './tls.ts';
import { useOwnDatabase } from './own-database.ts';
import { startProxy } from './proxy.ts';
import { record, RULES } from './support.ts';

// Programs end before the server does.
afterAll(async () => {
  await endPrograms();
  removeDirectories();
});
const own = useOwnDatabase();
const { open, closing } = own;

const nameOf = (database: string): string => new URL(database).pathname.slice(1);

const changed = (change: (there: URL) => void): string => {
  const there = new URL(own.url);
  change(there);
  return there.href;
};

let roles = 0;
/** A role that may log in, and its URL. */
const createRole = async (...grants: readonly string[]): Promise<{ readonly role: string; readonly url: string }> => {
  roles += 1;
  const role = `shop${roles}`;
  await sql(
    own.url,
    [`create role ${role} login password 'canary'`, ...grants.map((grant) => `${grant} to ${role}`)].join(';'),
  );
  return {
    role,
    url: changed((there) => {
      there.username = role;
      there.password = 'canary';
    }),
  };
};

interface Fault {
  readonly url: string;
  /** The user who is named. */
  readonly user?: string;
  readonly says: string;
  readonly remedy: string;
}

const LASTING: readonly (readonly [string, () => Promise<Fault>])[] = [
  [
    'a wrong password',
    () =>
      Promise.resolve({
        url: changed((there) => (there.password = 'canary')),
        says: 'password authentication failed',
        remedy: 'set the right password',
      }),
  ],
  [
    'no password',
    () =>
      Promise.resolve({
        url: changed((there) => (there.password = '')),
        says: 'empty password',
        remedy: 'set the right password',
      }),
  ],
  [
    'a database that does not exist',
    () =>
      Promise.resolve({
        url: changed((there) => (there.pathname = '/nowhere')),
        says: 'database "nowhere" does not exist',
        remedy: 'create database "nowhere"',
      }),
  ],
  [
    'a role that may not log in',
    async () => {
      const { role, url: there } = await createRole();
      await sql(own.url, `alter role ${role} nologin`);
      return { url: there, user: role, says: 'is not permitted to log in', remedy: 'pg_hba.conf' };
    },
  ],
  [
    'a role that may not connect to this database',
    async () => {
      const { role, url: there } = await createRole();
      await sql(own.url, `revoke connect on database ${nameOf(own.url)} from public`);
      return { url: there, user: role, says: 'permission denied for database', remedy: `"${role}"` };
    },
  ],
  [
    'no right to create tables',
    async () => {
      const { role, url: there } = await createRole();
      return {
        url: there,
        user: role,
        says: 'permission denied for schema public',
        remedy: `grant create on schema public to "${role}"`,
      };
    },
  ],
  [
    'no right to read the tables that are there',
    async () => {
      await migratePostgres(own.url);
      const { role, url: there } = await createRole();
      return {
        url: there,
        user: role,
        says: 'permission denied for table migrations',
        remedy: `grant select, insert, update, delete on all tables in schema public to "${role}"`,
      };
    },
  ],
  [
    'no right to write the tables that are there',
    async () => {
      await migratePostgres(own.url);
      const { role, url: there } = await createRole(
        'grant select on all tables in schema public',
        'grant insert, update, delete on orders, settings, notifications',
      );
      return {
        url: there,
        user: role,
        says: `"${role}", who may not write `,
        remedy: 'grant select, insert, update, delete on all tables in schema public',
      };
    },
  ],
  [
    'a schema that does not exist',
    async () => {
      const { role, url: there } = await createRole();
      await sql(own.url, `alter role ${role} set search_path = elsewhere`);
      return { url: there, user: role, says: 'no schema has been selected', remedy: 'search_path' };
    },
  ],
  [
    'tables of another program',
    async () => {
      await sql(own.url, 'create table orders (id integer)');
      return { url: own.url, says: 'relation "orders" already exists', remedy: 'a database of its own' };
    },
  ],
  [
    'a database of another encoding',
    async () => {
      const name = `${nameOf(own.url)}_ascii`;
      await sql(
        own.server.url,
        `create database ${name} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0`,
      );
      return {
        url: changed((there) => (there.pathname = `/${name}`)),
        says: "the database's encoding is SQL_ASCII",
        remedy: 'UTF8 is needed',
      };
    },
  ],
  [
    'no TLS where it is asked for',
    () =>
      Promise.resolve({
        url: `${own.url}?sslmode=verify-full`,
        says: 'does not support SSL',
        remedy: 'set up TLS',
      }),
  ],
  [
    'a certificate that is not there',
    () =>
      Promise.resolve({
        url: `${own.url}?sslrootcert=/nowhere/ca.pem`,
        says: '/nowhere/ca.pem',
        remedy: 'sslrootcert',
      }),
  ],
  [
    'a pooler in between that takes no session settings',
    async () => {
      const proxy = await startProxy(own.url);
      closing.push(proxy.close);
      proxy.dropSettings();
      return { url: proxy.through(own.url), says: 'a pooler in between', remedy: 'connect to PostgreSQL itself' };
    },
  ],
];

describe('what no waiting helps', () => {
  test.each(LASTING)('%s: named once, with the variable, the server, the user and what to do', async (_name, make) => {
    const fault = await make();
    const { port, hostname } = new URL(fault.url);
    const failure = await openPostgres({ url: fault.url, rules: RULES }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnusableError);
    const { message } = failure as Error;
    expect(message).toMatch(/^DATABASE_URL/);
    expect(message).toContain(fault.says);
    expect(message).toContain(fault.remedy);
    if (!fault.says.startsWith('/')) {
      expect(message).toContain(`${hostname}:${port}`);
      expect(message).toContain(`user ${fault.user ?? 'postgres'}`);
    }
    expect(message).not.toContain('canary');
    // A line of the log holds so much.
    expect(message.length).toBeLessThan(270);
  });

  test('tables of another role, in a schema of their own: what is advised is enough', async () => {
    await sql(own.url, `create schema app; alter database ${nameOf(own.url)} set search_path = app`);
    await migratePostgres(own.url);
    const { role, url: there } = await createRole('grant usage on schema app');
    const failure = await openPostgres({ url: there, rules: RULES }).catch((error: unknown) => error);
    const advice = (failure as Error).message.split(': ').at(-1) ?? '';
    expect(advice).toBe(`grant select, insert, update, delete on all tables in schema app to "${role}"`);
    await sql(own.url, advice);
    await open({ url: there });
  });

  test('a role needs no right to write the table of migrations, nor tables of others in the same schema', async () => {
    await migratePostgres(own.url);
    const { role, url: there } = await createRole('grant all on all tables in schema public');
    const { role: another } = await createRole();
    await sql(
      own.url,
      `revoke insert, update, delete on migrations from ${role};
       create table theirs (); alter table theirs owner to ${another}`,
    );
    await open({ url: there });
  });

  test('a certificate of a private authority: named with sslrootcert, which then opens it', async () => {
    const ca = await serveTls(own.server);
    closing.push(ca.stop);
    const failure = await openPostgres({ url: `${own.url}?sslmode=verify-full`, rules: RULES }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(StoreUnusableError);
    // What Node says of it differs from version to version.
    expect((failure as Error).message).toMatch(
      new RegExp(
        `^DATABASE_URL \\(127\\.0\\.0\\.1:${new URL(own.url).port}, user postgres, database ${nameOf(own.url)}\\): self-signed certificate.*: add sslmode=verify-full&sslrootcert=/path/of/ca\\.pem, the certificate of the authority that signed it$`,
      ),
    );
    await open({ url: `${own.url}?sslmode=verify-full&sslrootcert=${ca.file}` });
  });

  test('the service ends with 78, and says it once', async () => {
    const there = changed((elsewhere) => (elsewhere.password = 'canary'));
    const program = runProgram({ ...environmentOf(makeDirectory(), createSigner()), DATABASE_URL: there });
    expect(await program.exited).toBe(78);
    const { stdout, stderr } = program.output();
    expect(stderr).toBe('');
    expect(stdout.split('set the right password')).toHaveLength(2);
    expect(stdout).not.toContain('canary');
  });

  test('a URL that does not parse ends it with 78, and says how a password is written', async () => {
    const program = runProgram({
      ...environmentOf(makeDirectory(), createSigner()),
      DATABASE_URL: 'postgres://u:canary@h:abc/db',
    });
    expect(await program.exited).toBe(78);
    const { stdout, stderr } = program.output();
    expect(stdout).toBe('');
    expect(stderr).toMatch(/DATABASE_URL.*percent-encode #, \/, @/);
    expect(stderr).not.toContain('canary');
  });
});

describe('a database that is only copied from', () => {
  test('need not have durable commits', async () => {
    await migratePostgres(own.url);
    await sql(own.server.url, `alter database ${nameOf(own.url)} set synchronous_commit = off`);
    const source = await openPostgresSource({ url: own.url, rules: RULES });
    closing.push(source.close);
    expect(await source.clientIds()).toEqual([]);
  });

  test('takes no writes', async () => {
    const session = sessionFor([own.url], { statementTimeoutMs: 4_000, allowUnsafe: true, readOnly: true });
    await expect(
      openOnAny([own.url], session, async (client) => await client.query('create table written ()')),
    ).rejects.toThrow('read-only transaction');
  });
});

describe('a pooler', () => {
  test('that comes in between later is named by what cannot be stored, and its connections are not used', async () => {
    const proxy = await startProxy(own.url);
    closing.push(proxy.close);
    const store = await open({ url: proxy.through(own.url) });
    const body = paymentResult('S', { paymentId: 'P1', paymentRequestId: 'R1', paymentAmount: jpy('100') });
    await record(store, body);
    proxy.dropSettings();
    await sql(
      own.url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'paynotify' and datname = current_database()",
    );
    // A connection that has ended may be met before that is known.
    await eventually(
      'the pooler named',
      async () => await record(store, body).then(() => 'stored', String),
      (outcome) => outcome.includes('a pooler in between'),
    );
    const [row] = await sql(own.url, 'select deliveries from notifications');
    expect(row).toEqual({ deliveries: '1' });
  });
});

describe('what is waited for', () => {
  test('a server that is down: said once, and ready once it is there', async () => {
    await own.server.kill('SIGINT');
    const directory = makeDirectory();
    const receiver = await startReceiver(directory, {
      ...environmentOf(directory, createSigner()),
      DATABASE_URL: own.url,
    });
    try {
      // It tries every second.
      await after(3_500);
      expect(await receiver.readiness()).toEqual({ status: 503, state: 'starting' });
      const said = (await receiver.log()).filter(({ msg }) => msg === 'the store cannot be opened yet');
      expect(said).toMatchObject([{ error: expect.stringMatching(/DATABASE_URL \(127\.0\.0\.1:\d+, user postgres/) }]);
      await own.server.start();
      await becomesReady(receiver);
    } finally {
      await receiver.stop();
    }
  });

  test('a standby that is to be a primary, but not for a copy from it', async () => {
    await migratePostgres(own.url);
    const standby = await own.server.startStandby();
    closing.push(standby.stop);
    const there = changed((elsewhere) => (elsewhere.port = new URL(standby.url).port));
    const failure = await openPostgres({ url: there, rules: RULES }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect(String(failure)).toContain('is a standby');
    const source = await openPostgresSource({ url: there, rules: RULES });
    closing.push(source.close);
    expect(await source.clientIds()).toEqual([]);
    await standby.promote();
    await open({ url: there });
  });

  test('a server that takes no writes', async () => {
    await sql(own.server.url, `alter database ${nameOf(own.url)} set default_transaction_read_only = on`);
    const failure = await openPostgres({ url: own.url, rules: RULES }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect(String(failure)).toContain('default_transaction_read_only');
  });
});
