import { setTimeout as after } from 'node:timers/promises';
import { Client, type ClientBase, type ClientConfig } from 'pg';
import { StoreUnavailableError, StoreUnusableError } from '../store.ts';
import { check, type Checked, type Expected } from './check.ts';
import { type Place, toOpeningError } from './failure.ts';
import type { HostUrl } from './url.ts';

/** What a connection is opened with. */
export interface Session {
  readonly connectTimeoutMs: number;
  /** Milliseconds after which the server gives up a statement; null for work that takes as long as it takes. */
  readonly statementTimeoutMs: number | null;
  /** Also where commits are not durable. */
  readonly allowUnsafe: boolean;
  /** Its transactions must not write; a standby will do. */
  readonly readOnly: boolean;
}

/** How much longer than the server we wait for its word: one that has stopped keeps no time limit. */
export const GRACE_MS = 500;
const IDLE_IN_TRANSACTION_MS = 10_000;
const KEEP_ALIVE_AFTER_MS = 5_000;
/** A wait for a lock ends before the statement does, so that it is told apart. */
const LOCK_SHARE = 0.75;

/**
 * What the session relies on, whatever the server, the role or the database say. Every statement looks rows up by key
 * or walks an index. Plans are kept for the life of a connection, and one made while a table was small must not read
 * all of it once it has grown: so those ways are closed where there is another.
 */
const SETTINGS = {
  client_min_messages: 'warning',
  jit: 'off',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
};
/**
 * When the server takes a client for gone that does not answer, in seconds: after 25 it is, and what it locked is free.
 * The operating system's default is two hours. Over a Unix socket the server shows 0, so nobody compares them.
 */
const KEEP_ALIVES = { tcp_keepalives_idle: 10, tcp_keepalives_interval: 5, tcp_keepalives_count: 3 };
const READ_ONLY = { default_transaction_read_only: 'on' };

const limitsOf = ({ statementTimeoutMs }: Session) =>
  statementTimeoutMs === null
    ? {}
    : {
        statement_timeout: statementTimeoutMs,
        lock_timeout: Math.floor(statementTimeoutMs * LOCK_SHARE),
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      };

const settingsOf = ({ readOnly }: Session) => (readOnly ? { ...SETTINGS, ...READ_ONLY } : SETTINGS);

/** For a client or a pool. */
export const configOf = (host: HostUrl, session: Session): ClientConfig => ({
  connectionString: host,
  application_name: 'paynotify',
  connectionTimeoutMillis: session.connectTimeoutMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  options: Object.entries({ ...settingsOf(session), ...KEEP_ALIVES })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' '),
  ...limitsOf(session),
  ...(session.statementTimeoutMs === null ? {} : { query_timeout: session.statementTimeoutMs + GRACE_MS }),
});

/** What the server has to say of such a connection. */
export const expectedOf = (session: Session): Expected => ({
  settings: {
    ...settingsOf(session),
    ...Object.fromEntries(Object.entries(limitsOf(session)).map(([name, value]) => [name, String(value)])),
  },
  writable: !session.readOnly,
  allowUnsafe: session.allowUnsafe,
});

/** A connection that is not open yet. Throws a StoreUnusableError where it cannot even be made. */
const clientFor = (host: HostUrl, session: Session): Client => {
  try {
    const client = new Client(configOf(host, session));
    // It may break at any moment. Whoever uses it learns it from the query; an event without a listener would end
    // this program.
    client.on('error', () => {});
    return client;
  } catch (error) {
    throw toOpeningError(error, null);
  }
};

/** As the driver reads the URL, so that what it leaves to the environment is there as well. */
export const placeOf = ({ host, port, user = '', database = '' }: Client): Place => ({
  server: `${host}:${port}`,
  user,
  database,
  schema: null,
});

export interface Opened extends Checked {
  readonly place: Place;
}

type Work<T> = (client: Client, opened: Opened) => Promise<T>;

const CLOSES_WITHIN_MS = 3_000;

/**
 * Work on a connection of its own, checked and outside of any pool. The session is over when this returns, its locks
 * free; a server that has stopped is not waited for. Throws a StoreUnusableError or a StoreUnavailableError where there
 * is no such connection, and what the work throws.
 */
export const openOn = async <T>(host: HostUrl, session: Session, work: Work<T>): Promise<T> => {
  const client = clientFor(host, session);
  try {
    return await work(client, await connected(client, session, placeOf(client)));
  } finally {
    await Promise.race([client.end().catch(() => {}), after(CLOSES_WITHIN_MS, undefined, { ref: false })]);
    destroy(client);
  }
};

const connected = async (client: Client, session: Session, place: Place): Promise<Opened> => {
  try {
    await client.connect();
    const checked = await check(client, expectedOf(session));
    return { ...checked, place: { ...place, schema: checked.schema } };
  } catch (error) {
    throw toOpeningError(error, place);
  }
};

/** The same on the first of several hosts, in their order, that is what the session needs. */
export const openOnAny = async <T>(hosts: readonly HostUrl[], session: Session, work: Work<T>): Promise<T> => {
  const failures: Error[] = [];
  for (const host of hosts) {
    let isOpen = false;
    try {
      return await openOn(host, session, async (client, opened) => {
        isOpen = true;
        return await work(client, opened);
      });
    } catch (error) {
      if (isOpen || !(error instanceof Error)) throw error;
      failures.push(error);
    }
  }
  const [first, ...others] = failures;
  if (first === undefined || others.length === 0) throw first ?? new RangeError('no host');
  const Failure = failures.every((error) => error instanceof StoreUnusableError)
    ? StoreUnusableError
    : StoreUnavailableError;
  throw new Failure(failures.map(({ message }) => message).join('; '));
};

/** Breaks a connection off, whatever it waits for: what it still had to say is not heard. */
export const destroy = (client: ClientBase): void => {
  (client as Client).connection.stream.destroy();
};
