import { mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import type { TestServer } from '../test/support/postgres.ts';
import { CLIENT_ID } from './notifications.ts';

/** A server that is compared, how many connections load it, and what it has stored afterwards. */
export interface Subject {
  readonly name: string;
  readonly file: string;
  readonly connections: number;
  /** It works with the database server. */
  readonly usesDatabase?: true;
  readonly readyPath: string;
  /** Returns its environment, with an empty database. */
  readonly prepare: () => Promise<Readonly<Record<string, string>>>;
  /** How many notifications it holds; null if it stores nothing. */
  readonly stored: () => Promise<number | null>;
  /** Bytes on disk, once it is stopped; null where they are not measured. */
  readonly bytes: () => number | null;
}

/** The subjects at 64 connections: those that are set against each other. */
export const NAMES = {
  bare: 'bare',
  express: 'express',
  floor: 'floor, 64',
  sqlite: 'paynotify sqlite, 64',
  postgres: 'paynotify postgres, 64',
  other: 'other checkout',
} as const;

const here = (path: string): string => new URL(path, import.meta.url).pathname;

const simple = (name: 'bare' | 'express' | 'floor'): Subject => ({
  name,
  file: here(`servers/${name}.ts`),
  connections: 64,
  readyPath: '/',
  prepare: () => Promise.resolve({}),
  stored: () => Promise.resolve(null),
  bytes: () => null,
});

/** The receiver of a checkout. */
export const receiverOf = (checkout: string): Pick<Subject, 'file' | 'readyPath'> => ({
  file: resolve(checkout, 'src/main.ts'),
  readyPath: '/readyz',
});
export const receiver = receiverOf(here('..'));
/** As in the image (Dockerfile). */
export const settings = {
  NODE_OPTIONS: '--max-semi-space-size=4 --max-old-space-size=256',
  MALLOC_ARENA_MAX: '1',
  NODE_COMPILE_CACHE: join(tmpdir(), 'paynotify-bench-compiled'),
  ADMIN_PORT: '0',
  ANTOM_CLIENT_ID: CLIENT_ID,
  LOG_LEVEL: 'info',
};

/** As in deploy/, where it runs with PostgreSQL. */
export const settingsWithPostgres = { ...settings, NODE_OPTIONS: '--max-semi-space-size=16' };

/** How many notifications a database file holds. */
export const storedIn = (file: string): number => {
  const db = new DatabaseSync(file, { readOnly: true });
  const { count } = db.prepare('select count(*) as count from notifications').get() as { count: number };
  db.close();
  return count;
};

const floor = (connections: number, directory: string): Subject => {
  const file = join(directory, `floor-${connections}.db`);
  return {
    ...simple('floor'),
    name: `floor, ${connections}`,
    connections,
    prepare: () => Promise.resolve({ FLOOR_FILE: file }),
    stored: () => Promise.resolve(storedIn(file)),
  };
};

const sqlite = (connections: number, directory: string): Subject => {
  const file = join(directory, `sqlite-${connections}`, 'paynotify.db');
  return {
    ...receiver,
    name: `paynotify sqlite, ${connections}`,
    connections,
    prepare: () => {
      rmSync(join(file, '..'), { recursive: true, force: true });
      mkdirSync(join(file, '..'), { recursive: true });
      return Promise.resolve({ ...settings, DATABASE_URL: `sqlite:${file}` });
    },
    stored: () => Promise.resolve(storedIn(file)),
    bytes: () => statSync(file).size,
  };
};

const postgres = (connections: number, server: TestServer): Subject => {
  let url = '';
  return {
    ...receiver,
    name: `paynotify postgres, ${connections}`,
    connections,
    usesDatabase: true,
    prepare: async () => {
      url = await server.createDatabase();
      return { ...settingsWithPostgres, DATABASE_URL: url };
    },
    stored: async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ count: string }>('select count(*) as count from notifications');
      await client.end();
      return Number(rows[0]?.count);
    },
    bytes: () => null,
  };
};

/** The receiver of another checkout, with SQLite and 64 connections. */
const otherCheckout = (checkout: string, directory: string): Subject => ({
  ...sqlite(64, join(directory, 'other')),
  ...receiverOf(checkout),
  name: NAMES.other,
});

export interface SubjectsOptions {
  readonly directory: string;
  readonly server: TestServer;
  /** Another checkout, whose receiver is compared too. */
  readonly against: string | undefined;
}

/**
 * In the order of their turns. Subjects that are set against each other follow one another, since the speed of a shared
 * machine changes from one second to the next.
 */
export const subjectsOf = ({ directory, server, against }: SubjectsOptions): readonly Subject[] => [
  simple('bare'),
  floor(1, directory),
  ...[1, 16].map((connections) => sqlite(connections, directory)),
  simple('express'),
  floor(64, directory),
  ...(against === undefined ? [] : [otherCheckout(against, directory)]),
  sqlite(64, directory),
  ...[64, 16, 1].map((connections) => postgres(connections, server)),
];
