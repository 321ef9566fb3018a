import { spawn } from 'node:child_process';
import { createHash, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import { type SignedRequest, verify } from '../../src/antom/signature.ts';
import { signatureHeader } from '../../src/antom/signing.ts';
import { run } from '../../src/cli.ts';
import type { Terminal } from '../../src/commands/shell.ts';
import { openExisting } from '../../src/commands/stored.ts';
import { type Environment, readStoreConfig } from '../../src/config.ts';
import { readNotification } from '../../src/handlers/read.ts';
import type { ReadNotification } from '../../src/order/reading.ts';
import { openStore } from '../../src/store/open.ts';
import type { Delivery, NotificationDelivery, Store, UnverifiedDelivery } from '../../src/store/store.ts';

export const KEYS = fileURLToPath(new URL('../fixtures/keys/', import.meta.url));
export const PRIVATE_KEY_FILE = join(KEYS, 'throw-away.private.pkcs8.pem');
export const PUBLIC_KEY = readFileSync(join(KEYS, 'throw-away.public.spki.pem'), 'utf8');
export const OTHER_PUBLIC_KEY = readFileSync(join(KEYS, 'throw-away-second.public.spki.pem'), 'utf8');
export const CLIENT = 'CLI_CLIENT';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const OUR_KEY = createPrivateKey(readFileSync(PRIVATE_KEY_FILE));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command line as a process of its own. */
export const spawned = async (words: readonly string[], env: Environment = {}, cwd = KEYS): Promise<Ended> =>
  await new Promise((resolve) => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const child = spawn(process.execPath, [CLI, ...words], {
      cwd,
      env: { PATH, NODE_COMPILE_CACHE, ...env },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
  });

const shared = new Map<string, Store>();

/** Commands run here share one open store a database: opening one starts two threads, and that takes long. */
const openShared = async (env: Environment): Promise<Store> => {
  const url = env['DATABASE_URL'] ?? '';
  const store = shared.get(url) ?? (await openExisting(env));
  shared.set(url, store);
  return { ...store, close: async () => undefined };
};

export const closeShared = async (directory: string): Promise<void> => {
  for (const [url, store] of shared) {
    if (!url.includes(directory)) continue;
    shared.delete(url);
    await store.close();
  }
};

/** The same without the second that a process takes to start. */
export const here = async (
  words: readonly string[],
  env: Environment = {},
  ask: Terminal['ask'] = null,
): Promise<EndedHere> => await runHere(words, { env, ask, openStore: openShared });

interface EndedHere extends Ended {
  readonly bytes: Buffer;
}

/** Runs a command in this process, and keeps what it says. */
export const runHere = async (
  words: readonly string[],
  terminal: Pick<Terminal, 'env' | 'ask' | 'openStore'>,
): Promise<EndedHere> => {
  let out = '';
  let err = '';
  const raw: Uint8Array[] = [];
  const code = await run(words, {
    ...terminal,
    out: (text) => (out += `${text}\n`),
    err: (text) => (err += `${text}\n`),
    bytes: (bytes) => raw.push(bytes),
    overwrite: null,
    paint: (_colour, text) => text,
  });
  return { code, out, err, bytes: Buffer.concat(raw) };
};

/** What a command printed with --json. */
export const json = async <T>(words: readonly string[], env: Environment): Promise<T> => {
  const { out, err } = await here([...words, '--json'], env);
  if (out === '') throw new Error(`${words.join(' ')} printed nothing: ${err}`);
  return JSON.parse(out) as T;
};

export type Fields = Readonly<Record<string, unknown>>;
const bytesOf = (body: Fields | string | Uint8Array): Uint8Array =>
  body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

const REQUEST_TIME = '2026-01-02T03:04:05Z';
const signedRequest = (body: Uint8Array, clientId: string): SignedRequest => {
  const signature = signatureHeader(
    { method: 'POST', uri: '/payNotify', clientId, requestTime: REQUEST_TIME, body },
    OUR_KEY,
  );
  return {
    method: 'POST',
    target: '/payNotify',
    clientIds: [clientId],
    requestTimes: [REQUEST_TIME],
    signatures: [signature],
    body,
  };
};

const readFrom = (body: Uint8Array, clientId: string): ReadNotification => {
  const verification = verify(signedRequest(body, clientId), {
    keys: new Map([[clientId, [readKey(PUBLIC_KEY)]]]),
    publicUris: [],
  });
  if (!verification.verified) throw new Error(`the test's own signature is refused: ${verification.reason}`);
  return readNotification(verification.notification);
};

/** A notification as the listener hands it to the store: really signed, verified and read. */
export const notified = (body: Fields | string | Uint8Array, clientId = CLIENT): NotificationDelivery => ({
  kind: 'notification',
  read: readFrom(bytesOf(body), clientId),
  receivedAt: new Date(),
});

/** A request that failed verification, as the listener hands it to the store. */
export const unverified = (
  body: string,
  { failure, receivedAt, ...request }: Partial<SignedRequest & UnverifiedDelivery> = {},
): Delivery => ({
  kind: 'unverified',
  request: { ...signedRequest(Buffer.from(body), 'STRANGER'), ...request },
  failure: {
    reason: request.clientIds?.length === 0 ? 'MISSING_HEADER' : 'UNKNOWN_CLIENT',
    origin: 'UNKNOWN',
    trust: '00'.repeat(32),
    ...failure,
  },
  receivedAt: receivedAt ?? new Date(),
});

export const payment = (fields: Fields = {}): Fields => ({
  notifyType: 'PAYMENT_RESULT',
  paymentId: 'P1',
  paymentRequestId: 'R1',
  paymentAmount: { currency: 'JPY', value: '120' },
  result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
  ...fields,
});
export const capture = (fields: Fields = {}): Fields => ({
  notifyType: 'CAPTURE_RESULT',
  paymentId: 'P1',
  captureId: 'C1',
  captureAmount: { currency: 'JPY', value: '120' },
  result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
  ...fields,
});

export interface Place {
  readonly directory: string;
  /** Of a receiver of CLIENT whose database is here. */
  readonly env: Readonly<Record<string, string>>;
  /** Stores deliveries as a service that runs would. */
  readonly store: (...deliveries: readonly Delivery[]) => Promise<void>;
  /** The store itself, which the commands share; it is made where there is none. */
  readonly opened: () => Promise<Store>;
  /** Changes the database behind its back. */
  readonly sql: (text: string) => void;
}

/** The id under which a body is stored. */
export const idOf = (body: string | Uint8Array): string => createHash('sha256').update(body).digest('hex');

/** A directory of its own for each test. */
export const ownPlace = (): (() => Place) => {
  let place: Place | null = null;
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(async () => {
    if (place !== null) await removePlace(place);
  });
  return () => place ?? makePlace();
};

const UNBOUNDED = { maxBytes: 1_000_000 };

export const removePlace = async ({ directory }: Pick<Place, 'directory'>): Promise<void> => {
  await closeShared(directory);
  rmSync(directory, { recursive: true, force: true });
};

export const makePlace = (): Place => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-cli-'));
  const env = {
    DATABASE_URL: `sqlite:${join(directory, 'paynotify.db')}`,
    ANTOM_CLIENT_ID: CLIENT,
    ANTOM_PUBLIC_KEY: PUBLIC_KEY,
  };
  const opened = async (): Promise<Store> => {
    const config = readStoreConfig(env);
    const { databaseUrl } = config;
    const store = shared.get(databaseUrl) ?? (await openStore(config));
    shared.set(databaseUrl, store);
    return store;
  };
  const store = async (...deliveries: readonly Delivery[]): Promise<void> => {
    await (await opened()).record(deliveries, UNBOUNDED);
  };
  const sql = (text: string): void => {
    const db = new DatabaseSync(join(directory, 'paynotify.db'), { timeout: 5_000 });
    db.exec(text);
    db.close();
  };
  return { directory, env, store, opened, sql };
};
