import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pathOf, type UnverifiedReason } from '../antom/signature.ts';
import type { Log } from '../log.ts';
import type { NotAcknowledged, PayNotifyResult } from '../pay-notify.ts';
import { clientAddress } from './client-address.ts';
import { createSampledLog, type Kind, type SampledLog } from './sampled-log.ts';

/** The log line of one request, written once its status is decided. */
export interface RequestLog {
  readonly refused: (status: number, reason: string) => void;
  readonly received: (status: number, result: PayNotifyResult) => void;
  /** A path that takes no notifications. */
  readonly notFound: () => void;
}

export interface RequestLogOptions {
  readonly log: Log;
  /** How many proxies stand in front. */
  readonly trustProxy: number;
  readonly notifyPaths: readonly string[];
}

/**
 * Returns what opens the line of a request: its id, address and duration are in it whatever becomes of it. What APO did
 * not sign is `warn` at most, and sampled: anybody can send it.
 */
export const createRequestLog = ({
  log,
  trustProxy,
  notifyPaths,
}: RequestLogOptions): ((request: IncomingMessage) => RequestLog) => {
  const nextId = createRequestIds();
  const sampled = createSampledLog(log);
  return (request) => {
    const startedAt = performance.now();
    const requestId = nextId();
    const address = clientAddress({
      socket: request.socket.remoteAddress,
      forwardedFor: request.headersDistinct['x-forwarded-for'] ?? [],
      trusted: trustProxy,
    });
    const line = (status: number): Line => {
      const ms = Math.round((performance.now() - startedAt) * 100) / 100;
      return { requestId, status, address, ms };
    };
    return {
      refused: (status, reason) =>
        sampled({ level: status < 500 ? 'info' : 'warn', text: 'refused', fields: { status, problem: reason } }, () =>
          line(status),
        ),
      received: (status, result) => logResult({ log, sampled }, result, () => line(status)),
      notFound: () => {
        if (isSignedPost(request)) sampled(MISDIRECTED, () => ({ ...line(404), ...misdirected(request, notifyPaths) }));
        else sampled(NOT_FOUND, () => line(404));
      },
    };
  };
};

interface Line {
  readonly requestId: string;
  readonly status: number;
  readonly address: string | undefined;
  readonly ms: number;
}

const NOT_FOUND = { level: 'info', text: 'not found', fields: { status: 404 } } as const satisfies Kind;
const MISDIRECTED = {
  level: 'warn',
  text: 'a signed POST to a path that takes no notifications',
  fields: { status: 404 },
} as const satisfies Kind;

/** A POST with APO's signature header. */
export const isSignedPost = ({ method, headers }: IncomingMessage): boolean =>
  method === 'POST' && headers['signature'] !== undefined;

/** The path received, for a person to read. */
export const printablePath = ({ url = '' }: IncomingMessage): string => printable(pathOf(url));

/** What somebody needs who entered another path at APO than is configured here. */
const misdirected = (request: IncomingMessage, notifyPaths: readonly string[]): object => ({
  problem: `received: ${printablePath(request)} configured: ${notifyPaths.join(',')}`,
  hint: 'if APO sends its notifications to this path, add it to NOTIFY_PATHS (comma-separated); where a balancer made this path of the URL that is entered at APO, set PUBLIC_NOTIFY_URL to that URL too',
});

const LONGEST_PATH = 200;

/** Escapes what a terminal or a person could take for something else, and cuts what is long. */
const printable = (path: string): string => {
  const cut = path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}...` : path;
  return cut.replace(
    /[^\x21-\x7e]|["'`\\]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
};

interface Logs {
  readonly log: Log;
  readonly sampled: SampledLog;
}

const logResult = ({ log, sampled }: Logs, result: PayNotifyResult, makeLine: () => Line): void => {
  if (result.kind === 'not stored') return logNotStored({ log, sampled }, result, makeLine);
  const { recorded, reason } = result;
  if (recorded.kind === 'unverified') {
    const hint = reason === null ? undefined : HINTS[reason];
    sampled({ level: 'warn', text: 'unverified', fields: { reason: String(reason) } }, () => ({
      ...makeLine(),
      deliveries: recorded.deliveries,
      ...(hint === undefined ? {} : { hint }),
    }));
    return;
  }
  const { kind, paymentId, outcome, problem } = recorded.reading;
  const fields = {
    ...makeLine(),
    kind,
    paymentId,
    outcome,
    ...(problem === null ? {} : { problem }),
    deliveries: recorded.deliveries,
  };
  if (outcome === 'FAILED') log.error(fields, 'stored, but could not be applied');
  else if (outcome === 'MALFORMED') log.warn(fields, 'stored, but malformed');
  else log.info(fields, 'notification');
};

const logNotStored = (
  { log, sampled }: Logs,
  { because, reason, verified }: NotAcknowledged,
  makeLine: () => Line,
): void => {
  const fields = { problem: because, ...(reason === null ? {} : { reason }) };
  if (verified === true) log.error({ ...makeLine(), ...fields }, 'not stored, not acknowledged');
  else sampled({ level: 'warn', text: 'not stored, not acknowledged', fields }, makeLine);
};

/** What an operator can look at first. */
const HINTS: Partial<Readonly<Record<UnverifiedReason, string>>> = {
  UNKNOWN_CLIENT: 'this client-id is not configured',
  UNKNOWN_KEY_VERSION: 'APO signs with a key version that is not configured: add its key from the dashboard',
  SIGNATURE_MISMATCH:
    "the configured key must be APO's (not the merchant's own), and the path must be the one entered at APO: set PUBLIC_NOTIFY_URL where a balancer changes it",
};

/** A random prefix for the process and a number for the request: unique without a system call per request. */
const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(6).toString('base64url');
  let last = 0;
  return () => {
    last += 1;
    return `${prefix}-${last.toString(36)}`;
  };
};
