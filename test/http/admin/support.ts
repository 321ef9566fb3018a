import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Express } from 'express';
import pino from 'pino';
import { type AntomKey, readKey } from '../../../src/antom/keys.ts';
import { type SignedRequest, type UnverifiedReason, verify } from '../../../src/antom/signature.ts';
import { handlers } from '../../../src/handlers/index.ts';
import { readNotification } from '../../../src/handlers/read.ts';
import { type AdminDependencies, createAdminApp } from '../../../src/http/admin.ts';
import { openSqlite } from '../../../src/store/sqlite/sqlite-store.ts';
import type { ReadNotification } from '../../../src/order/reading.ts';
import type { Store } from '../../../src/store/store.ts';
import { createRedriving } from '../../../src/upkeep/redrive.ts';
import { verifiesNow } from '../../../src/upkeep/verify-again.ts';
import type { Fields } from '../../support/facts.ts';

export const CLIENT = 'T_client';
export const OTHER = 'T_other';
export const TOKEN = 'a-token-that-may-do-everything-0123';
export const READ_TOKEN = 'a-token-that-may-only-read-01234567';
export const REQUEST_TIME = '2025-05-17T07:58:04Z';
export const TARGET = '/payNotify?shop=1';
export const RECEIVED_AT = '2025-05-17T07:58:05.123Z';

const makeKey = (): { readonly key: AntomKey; readonly signed: (bytes: Uint8Array) => string } => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    key: readKey(publicKey.export({ format: 'pem', type: 'spki' })),
    signed: (bytes) =>
      `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(sign('sha256', bytes, privateKey).toString('base64'))}`,
  };
};

const apo = makeKey();
const another = makeKey();

const trusting = (key: AntomKey) => ({
  keys: new Map([CLIENT, OTHER].map((clientId) => [clientId, [key]])),
  publicUris: [],
});
export const TRUST = trusting(apo.key);
/** The keys after a rotation that left none of the old ones. */
export const ROTATED = trusting(another.key);

export const toBody = (fields: Fields): Buffer => Buffer.from(JSON.stringify(fields));

export const signedRequest = (body: Buffer, clientId: string = CLIENT): SignedRequest => ({
  method: 'POST',
  target: TARGET,
  clientIds: [clientId],
  requestTimes: [REQUEST_TIME],
  signatures: [apo.signed(Buffer.concat([Buffer.from(`POST ${TARGET}\n${clientId}.${REQUEST_TIME}.`), body]))],
  body,
});

const receive = (body: Buffer, clientId: string): ReadNotification => {
  const verification = verify(signedRequest(body, clientId), TRUST);
  if (!verification.verified) throw new Error(`the test's own signature is refused: ${verification.reason}`);
  return readNotification(verification.notification);
};

const BOUNDS = { maxBytes: 1_000_000 };

export interface Admin {
  readonly app: Express;
  readonly store: Store;
  readonly file: string;
  /** What was logged, as JSON lines. */
  readonly lines: readonly string[];
  /** Stores and applies a signed notification; returns its id. */
  readonly notify: (
    fields: Fields,
    options?: { readonly clientId?: string; readonly inapplicable?: true },
  ) => Promise<string>;
  readonly keepUnverified: (request: SignedRequest, reason: UnverifiedReason) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The app on a real store in a directory of its own; by default of one client, without tokens. */
export const openAdmin = async (changed: Partial<AdminDependencies> = {}): Promise<Admin> => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-admin-'));
  const file = join(directory, 'paynotify.db');
  const store = await openSqlite({
    file,
    rules: { captureRequired: 'always', captureMode: 'AUTOMATIC', production: false },
  });
  const lines: string[] = [];
  const app = createAdminApp({
    store: () => store,
    token: null,
    readToken: null,
    clientIds: () => [CLIENT],
    verifiesNow: (stored) => verifiesNow(stored, TRUST),
    redriving: (opened) => createRedriving(opened, handlers),
    log: pino({ base: null }, { write: (line: string) => lines.push(line) }),
    ...changed,
  });
  return {
    app,
    store,
    file,
    lines,
    notify: async (fields, { clientId = CLIENT, inapplicable } = {}) => {
      const read = receive(toBody(fields), clientId);
      const delivery = { kind: 'notification', read, receivedAt: new Date(RECEIVED_AT) } as const;
      await store.record([inapplicable === undefined ? delivery : { ...delivery, inapplicable }], BOUNDS);
      const [newest] = (
        await store.listNotifications({ kind: null, outcome: null, paymentId: null }, { limit: 1, cursor: null })
      ).items;
      return newest?.id ?? '';
    },
    keepUnverified: async (request, reason) => {
      const failure = { reason, origin: 'OTHER_KEY', trust: '00'.repeat(32) } as const;
      await store.record([{ kind: 'unverified', request, failure, receivedAt: new Date(RECEIVED_AT) }], BOUNDS);
    },
    close: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
};
