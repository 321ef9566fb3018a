import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach } from '@jest/globals';
import { readKey } from '../../src/antom/keys.ts';
import { findSample } from '../../src/commands/samples.ts';
import { GOOD, type Settings, type Shares } from '../../src/sandbox/misbehaviour.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACKNOWLEDGEMENT, type Answer, eventually, send } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';

export const CLIENT = 'SANDBOX_5YET942ZTUH303813';
export const API = '/ams/sandbox/api/v1/payments';
const KEYS = new URL('../fixtures/keys/', import.meta.url);
const privateKey = (name: string): KeyObject => createPrivateKey(readFileSync(new URL(name, KEYS)));
export const MERCHANT_KEY = privateKey('throw-away.private.pkcs8.pem');
export const APO_KEY = privateKey('throw-away-second.private.pkcs8.pem');
const textOf = (key: KeyObject): string =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');

/** A minute is three milliseconds; an authorization lapses after half a minute. */
const FAST = 20_000;
/** A day of resends is a tenth of a second. */
export const FASTEST = 1_000_000;

export interface Misbehaving {
  readonly shares?: Partial<Shares>;
  readonly speed?: number;
  readonly seed?: number;
  readonly slowMs?: number;
  readonly rotateAfter?: number;
  readonly notifyUrl?: string | null;
  readonly ledgerFile?: SandboxOptions['ledgerFile'];
  readonly host?: string;
}

export interface CallOptions {
  /** What is signed, where it differs from where it goes. */
  readonly uri?: string;
  readonly path?: string;
  readonly clientId?: string;
  readonly key?: KeyObject;
  readonly keyVersion?: string;
  /** Changes the bytes once they are signed. */
  readonly tamper?: (body: string) => string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly method?: string;
  readonly contentType?: string;
  /** A header of the documents that is left out. */
  readonly without?: string;
}

export interface Called {
  readonly status: number;
  readonly text: string;
  readonly json: Fields;
  /** `S SUCCESS`. */
  readonly outcome: string;
  readonly signed: 'well' | 'badly' | 'not';
  readonly answer: Answer;
}

/** The sandbox as a merchant and an operator meet it. */
export interface Served extends Sandbox {
  readonly call: (operation: string, body: Fields | string, options?: CallOptions) => Promise<Called>;
  readonly control: (method: string, path: string, body?: unknown) => Promise<Fields & { readonly status: number }>;
  readonly ledger: () => Promise<readonly LedgerPayment[]>;
  readonly deliveries: () => Promise<readonly SentNotification[]>;
  /** Once nothing waits and nothing is still to happen by itself. */
  readonly quiet: () => Promise<void>;
}

export interface LedgerPayment {
  readonly paymentId: string;
  readonly paymentRequestId: string;
  readonly result: Fields;
  readonly gone: Fields | null;
  readonly captures: readonly Fields[];
  readonly refunds: readonly Fields[];
  readonly disputes: readonly Fields[];
  readonly moved: Readonly<Record<'authorized' | 'paid' | 'returned' | 'taken' | 'kept', string>>;
}

export interface SentNotification {
  readonly name: string;
  readonly paymentId: string;
  readonly body: string;
  readonly state: string;
  readonly sends: readonly Fields[];
}

const started: Sandbox[] = [];
const servers: Server[] = [];
const stopAll = async (): Promise<void> => {
  for (const sandbox of started.splice(0)) await sandbox.stop();
};
const stop = async (sandbox: Sandbox): Promise<void> => {
  started.splice(started.indexOf(sandbox), 1);
  await sandbox.stop();
};
afterEach(async () => {
  if (!shared) await stopAll();
});
afterAll(async () => {
  await stopAll();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});
let shared = false;
/** Sandboxes of this file stay up until its last test. */
export const keepUp = (): void => {
  shared = true;
};

export const serve = async (how: Misbehaving = {}): Promise<Served> => {
  const { shares = {}, speed = FAST, seed = 1, slowMs = 0, rotateAfter = null, notifyUrl = null } = how;
  const settings: Settings = { speed, slowMs, rotateAfter, shares: { ...GOOD, ...shares } };
  const sandbox = await startSandbox({
    host: how.host ?? '127.0.0.1',
    port: 0,
    clientId: CLIENT,
    privateKey: APO_KEY,
    merchantKey: readKey(`1:${textOf(MERCHANT_KEY)}`),
    notifyUrl,
    seed,
    settings,
    ledgerFile: how.ledgerFile ?? null,
    sample: (name) => findSample(name)?.notification ?? {},
  });
  started.push(sandbox);
  return { ...sandbox, ...merchantOf(sandbox), stop: async () => await stop(sandbox) };
};

/** Of what `GET /control` says. */
export const isQuiet = ({ pending, notifications }: Fields): boolean =>
  pending === 0 && !Object.hasOwn(notifications as Fields, 'WAITING');

const merchantOf = ({ url }: Sandbox): Omit<Served, keyof Sandbox> => {
  const { hostname, port } = new URL(url);
  const address = { host: hostname, port: Number(port) };
  const control: Served['control'] = async (method, path, body) => {
    const request = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/control${path}`, { method, headers, ...request });
    return { ...((await response.json()) as Fields), status: response.status };
  };
  const deliveries = async (): Promise<readonly SentNotification[]> =>
    (await control('GET', '/notifications'))['notifications'] as readonly SentNotification[];
  return {
    control,
    deliveries,
    ledger: async () => (await control('GET', '/ledger'))['payments'] as readonly LedgerPayment[],
    quiet: async () => {
      await eventually('a quiet sandbox', async () => await control('GET', ''), isQuiet);
    },
    call: async (operation, body, options = {}) => {
      const { path = `${API}/${operation}`, method = 'POST' } = options;
      const { headers, text } = signedCall(path, typeof body === 'string' ? body : JSON.stringify(body), options);
      const answer = await send(address, { method, target: path, headers, body: Buffer.from(text) });
      return readAnswer(answer, path);
    },
  };
};

/** What is signed is written down here once more, from the protocol page. */
const signedCall = (path: string, body: string, options: CallOptions) => {
  const { clientId = CLIENT, key = MERCHANT_KEY, keyVersion = '1', uri = path, tamper = (same) => same } = options;
  const requestTime = String(Date.now());
  const signature = sign('sha256', Buffer.from(`POST ${uri}\n${clientId}.${requestTime}.${body}`), key);
  const headers: readonly (readonly [string, string])[] = [
    ['Content-Type', options.contentType ?? 'application/json; charset=UTF-8'],
    ['client-id', clientId],
    ['request-time', requestTime],
    [
      'signature',
      `algorithm=RSA256,keyVersion=${keyVersion},signature=${encodeURIComponent(signature.toString('base64'))}`,
    ],
  ];
  return { headers: headers.filter(([name]) => name !== options.without), text: tamper(body) };
};

/** Checked as the protocol page says: over the request's path, and the headers and bytes of the response. */
export const isSignedBy = (
  { headers, body }: Pick<Answer, 'headers' | 'body'>,
  uri: string,
  { time, key }: { readonly time: string; readonly key: string },
): boolean => {
  const [, signature = ''] =
    /^algorithm=RSA256,keyVersion=\d+,signature=(.+)$/.exec(String(headers['signature'])) ?? [];
  const signed = Buffer.concat([Buffer.from(`POST ${uri}\n${String(headers['client-id'])}.${time}.`), body]);
  const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
  return verify('sha256', signed, publicKey, Buffer.from(decodeURIComponent(signature), 'base64'));
};

const readAnswer = (answer: Answer, path: string): Called => {
  const { headers, text, status } = answer;
  const json = (text.startsWith('{') ? JSON.parse(text) : {}) as Fields;
  const { resultStatus, resultCode } = (json['result'] ?? {}) as Fields;
  const time = String(headers['response-time']);
  const well = headers['signature'] !== undefined && isSignedBy(answer, path, { time, key: textOf(APO_KEY) });
  const unsigned = headers['signature'] === undefined ? 'not' : 'badly';
  const outcome = `${String(resultStatus)} ${String(resultCode)}`;
  return { status, text, json, outcome, signed: well ? 'well' : unsigned, answer };
};

/** A payment of the test method. */
export const payment = (paymentRequestId: string, more: Fields = {}, metaData: Fields = {}): Fields => ({
  productCode: 'CASHIER_PAYMENT',
  paymentRequestId,
  paymentAmount: { currency: 'JPY', value: '1000' },
  paymentMethod: { paymentMethodType: 'TEST', paymentMethodMetaData: metaData },
  paymentFactor: { isAuthorization: true, captureMode: 'MANUAL' },
  ...more,
});

export const jpy = (value: number): Fields => ({ currency: 'JPY', value: String(value) });

/** A notification as it came to the merchant. */
export interface Received {
  readonly path: string;
  readonly headers: Answer['headers'];
  readonly body: Buffer;
  readonly json: Fields;
  readonly verifies: boolean;
}

export interface Merchant {
  readonly url: string;
  readonly received: Received[];
  /** `CAPTURE_RESULT S`, in the order received. */
  readonly names: () => readonly string[];
  readonly stop: () => void;
}

/** A notification URL that answers as it is told. */
export const listenAsMerchant = async (
  answer: (nth: number) => { readonly status: number; readonly body: string } = () => ({
    status: 200,
    body: ACKNOWLEDGEMENT,
  }),
): Promise<Merchant> => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { headers, url = '' } = request;
      const time = String(headers['request-time']);
      const [path = ''] = url.split('?');
      const verifies = isSignedBy({ headers, body }, path, { time, key: textOf(APO_KEY) });
      received.push({ path: url, headers, body, json: JSON.parse(body.toString()) as Fields, verifies });
      const { status, body: text } = answer(received.length);
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/payNotify?from=apo`,
    received,
    names: () => received.map(({ json }) => nameOf(json)),
    stop: () => {
      server.close().closeAllConnections();
    },
  };
};

const nameOf = (json: Fields): string => {
  const { resultStatus = null } = (json['result'] ?? {}) as { readonly resultStatus?: string };
  const type = (json['notifyType'] ?? json['disputeNotificationType']) as string;
  return resultStatus === null ? type : `${type} ${resultStatus}`;
};
