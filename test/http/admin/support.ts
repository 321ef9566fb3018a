import { createHash, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from '@jest/globals';
import type { Express } from 'express';
import pino from 'pino';
import { type AntomKey, readKey } from '../../../src/antom/keys.ts';
import { type SignedRequest, type UnverifiedReason, verify } from '../../../src/antom/signature.ts';
import { createFeedWatch, type FeedWatch } from '../../../src/feed-watch.ts';
import { handlers } from '../../../src/handlers/index.ts';
import { readNotification } from '../../../src/handlers/read.ts';
import { type AdminDependencies, createAdminApp } from '../../../src/http/admin.ts';
import { openStore } from '../../../src/store/open.ts';
import type { ReadNotification } from '../../../src/order/reading.ts';
import type { Store } from '../../../src/store/store.ts';
import { diagnosisOf } from '../../../src/upkeep/diagnosis.ts';
import { createRedriving } from '../../../src/upkeep/redrive.ts';
import { readStatus } from '../../../src/upkeep/status.ts';
import { verifiesNow } from '../../../src/upkeep/verify-again.ts';
import { type Fields, jpy, refundResult } from '../../support/facts.ts';
import { nextKeyPair } from '../../support/keys.ts';
import { metricsOf } from '../../support/metrics.ts';
import { RULES } from '../../support/rules.ts';
import { compareAnswers } from './documented.ts';

export const CLIENT = 'T_client';
export const OTHER = 'T_other';
export const TOKEN = 'a-token-that-may-do-everything-0123';
export const READ_TOKEN = 'a-token-that-may-only-read-01234567';
export const REQUEST_TIME = '2025-05-17T07:58:04Z';
export const TARGET = '/payNotify?shop=1';
export const RECEIVED_AT = '2025-05-17T07:58:05.123Z';

const makeKey = (): { readonly key: AntomKey; readonly signed: (bytes: Uint8Array) => string } => {
  const { privateKey, publicKey } = nextKeyPair();
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

/** A REFUND_RESULT of the refund F1 under FR1: it names no payment. */
export const refunded = (fields: Fields = {}): Fields =>
  refundResult('S', {
    refundStatus: 'SUCCESS',
    refundRequestId: 'FR1',
    refundId: 'F1',
    refundAmount: jpy('20'),
    refundTime: '2025-05-18T07:58:04Z',
    ...fields,
  });

export const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const BOUNDS = { maxBytes: 1_000_000 };

export interface Admin {
  readonly app: Express;
  readonly store: Store;
  readonly file: string;
  readonly feedWatch: FeedWatch;
  /** What was logged, as JSON lines. */
  readonly lines: readonly string[];
  /** Stores and applies a signed notification; returns its id. */
  readonly notify: (
    fields: Fields,
    options?: { readonly clientId?: string; readonly inapplicable?: true; readonly receivedAt?: Date },
  ) => Promise<string>;
  /** Of the one order of this id; 0 where there is none. */
  readonly revisionOf: (id: string) => Promise<number>;
  readonly keepUnverified: (request: SignedRequest, reason: UnverifiedReason) => Promise<void>;
  /** How its answers have differed from the OpenAPI document; `close` expects that none has. */
  readonly differences: string[];
  readonly close: () => Promise<void>;
}

/** What `openAdmin` takes. */
interface Opening extends Partial<AdminDependencies> {
  /** What the app has of the store: the store, and something that happens before it answers. */
  readonly around?: (store: Store) => Store;
  /** A PostgreSQL database; by default a SQLite file. */
  readonly databaseUrl?: string;
}

/**
 * The app on a real store in a directory of its own; by default of one client, without tokens. SQLite reads in the thread
 * that writes: none has to start.
 */
export const openAdmin = async ({ around, databaseUrl, ...changed }: Opening = {}): Promise<Admin> => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-admin-'));
  const file = join(directory, 'paynotify.db');
  const url = databaseUrl ?? `sqlite:${file}`;
  const { own: store } = await openStore({ databaseUrl: url, rules: RULES, allowUnsafeDatabase: true });
  const lines: string[] = [];
  const asked = around?.(store) ?? store;
  const feedWatch = createFeedWatch({ store: () => asked, everyMs: 10 });
  const app = createAdminApp({
    store: () => asked,
    token: null,
    readToken: null,
    clientIds: () => [CLIENT],
    verifiesNow: (stored) => verifiesNow(stored, TRUST),
    diagnosisOf: async (stored) => await diagnosisOf(stored, TRUST),
    moves: () => null,
    redriving: (opened) => createRedriving(opened, handlers),
    metrics: metricsOf(asked, TRUST.keys).text,
    status: async (opened) => await readStatus(opened, null),
    feedWatch,
    isDraining: () => false,
    log: pino({ base: null }, { write: (line: string) => lines.push(line) }),
    ...changed,
  });
  const differences: string[] = [];
  compareAnswers(app, (difference) => differences.push(difference));
  const revisionOf = async (id: string): Promise<number> => {
    const [order] = await store.findOrders({ clientId: CLIENT, id });
    return order?.revision ?? 0;
  };
  return {
    app,
    store,
    revisionOf,
    file,
    feedWatch,
    lines,
    differences,
    notify: async (fields, { clientId = CLIENT, inapplicable, receivedAt = new Date(RECEIVED_AT) } = {}) => {
      const read = receive(toBody(fields), clientId);
      const delivery = { kind: 'notification', read, receivedAt } as const;
      await store.record([inapplicable === undefined ? delivery : { ...delivery, inapplicable }], BOUNDS);
      return createHash('sha256').update(toBody(fields)).digest('hex');
    },
    keepUnverified: async (request, reason) => {
      const failure = { reason, origin: 'OTHER_KEY', trust: '00'.repeat(32) } as const;
      await store.record([{ kind: 'unverified', request, failure, receivedAt: new Date(RECEIVED_AT) }], BOUNDS);
    },
    close: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
      expect(differences).toEqual([]);
    },
  };
};

/** As retention does: the facts stay, the bytes go. */
export const removeBytes = ({ file }: Pick<Admin, 'file'>): void => {
  const db = new DatabaseSync(file);
  db.exec('delete from raw_batches');
  db.close();
};
