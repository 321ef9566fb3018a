import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pathOf, type UnverifiedReason } from '../antom/signature.ts';
import { type Log, oncePerMinute } from '../log.ts';
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
  /** The clients that are configured now. */
  readonly clientIds: () => readonly string[];
}

/**
 * Returns what opens the line of a request: its id, address and duration are in it whatever becomes of it. What APO did
 * not sign is `warn` at most, and sampled: anybody can send it.
 */
export const createRequestLog = ({
  log,
  trustProxy,
  notifyPaths,
  clientIds,
}: RequestLogOptions): ((request: IncomingMessage) => RequestLog) => {
  const nextId = createRequestIds();
  const sampled = createSampledLog(log);
  const isNews = oncePerMinute();
  const isFirstUnknown = once();
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
      received: (status, result) =>
        logResult(
          { log, sampled, isNews, isFirstUnknown, hintFor: (reason) => hintFor(reason, request, clientIds) },
          result,
          () => line(status),
        ),
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
export const printablePath = ({ url = '' }: IncomingMessage): string => printable(pathOf(url), LONGEST_PATH);

/** What somebody needs who entered another path at APO than is configured here. */
const misdirected = (request: IncomingMessage, notifyPaths: readonly string[]): object => ({
  problem: `received: ${printablePath(request)} configured: ${notifyPaths.join(',')}`,
  hint: 'if APO sends its notifications to this path, add it to NOTIFY_PATHS (comma-separated); where a balancer made this path of the URL that is entered at APO, set PUBLIC_NOTIFY_URL to that URL too',
});

const LONGEST_PATH = 200;
const LONGEST_CLIENT_ID = 64;

/** Escapes what a terminal or a person could take for something else, and cuts what is long. */
const printable = (text: string, longest: number): string => {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text;
  return cut.replace(
    /[^\x21-\x7e]|["'`\\]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
};

interface Logs {
  readonly log: Log;
  readonly sampled: SampledLog;
  /** Of the causes for which verified notifications are not stored. */
  readonly isNews: (cause: string) => boolean;
  /** Of a notification of a kind that nobody knows: true once. */
  readonly isFirstUnknown: () => boolean;
  /** What an operator can look at first. */
  readonly hintFor: (reason: UnverifiedReason) => string | undefined;
}

/** True the first time. */
const once = (): (() => boolean) => {
  let isFirst = true;
  return () => {
    const was = isFirst;
    isFirst = false;
    return was;
  };
};

const UNKNOWN_KIND =
  'stored, but of a kind that is not known: no order tells of it, see `paynotify notifications --kind UNKNOWN`';

const logResult = (logs: Logs, result: PayNotifyResult, makeLine: () => Line): void => {
  if (result.kind === 'not stored') return logNotStored(logs, result, makeLine);
  const { log, sampled, hintFor: hintOf, isFirstUnknown } = logs;
  const { recorded, reason } = result;
  if (recorded.kind === 'unverified') {
    sampled({ level: 'warn', text: 'unverified', fields: { reason: String(reason) } }, () => {
      const hint = reason === null ? undefined : hintOf(reason);
      return { ...makeLine(), deliveries: recorded.deliveries, ...(hint === undefined ? {} : { hint }) };
    });
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
  // Of a resend the first delivery has said so.
  if (outcome === 'FAILED')
    log[recorded.deliveries === 1 ? 'error' : 'warn'](fields, 'stored, but could not be applied');
  else if (outcome === 'MALFORMED') log.warn(fields, 'stored, but malformed');
  else if (kind === 'UNKNOWN' && isFirstUnknown()) log.warn(fields, UNKNOWN_KIND);
  else log.info(fields, 'notification');
};

const logNotStored = (
  { log, sampled, isNews }: Pick<Logs, 'log' | 'sampled' | 'isNews'>,
  { because, reason, verified }: NotAcknowledged,
  makeLine: () => Line,
): void => {
  const fields = { problem: because, ...(reason === null ? {} : { reason }) };
  // One a minute calls a person; the others say which.
  if (verified === true)
    log[isNews(because) ? 'error' : 'warn']({ ...makeLine(), ...fields }, 'not stored, not acknowledged');
  else sampled({ level: 'warn', text: 'not stored, not acknowledged', fields }, makeLine);
};

const hintFor = (
  reason: UnverifiedReason,
  request: IncomingMessage,
  clientIds: () => readonly string[],
): string | undefined => {
  if (reason !== 'UNKNOWN_CLIENT') return HINTS[reason];
  const [received = ''] = request.headersDistinct['client-id'] ?? [];
  const configured = clientIds();
  const shown = configured.slice(0, MOST_CLIENTS_SHOWN).join(', ');
  const more = configured.length > MOST_CLIENTS_SHOWN ? ` and ${configured.length - MOST_CLIENTS_SHOWN} more` : '';
  return `client-id received: ${printable(received, LONGEST_CLIENT_ID)}; configured: ${shown}${more}. If it is yours, and its diagnosis, which follows, does not say that it was changed on the way, set ANTOM_CLIENT_ID to it, or add it to ANTOM_CLIENTS_FILE`;
};

const MOST_CLIENTS_SHOWN = 5;

const HINTS: Partial<Readonly<Record<UnverifiedReason, string>>> = {
  UNKNOWN_KEY_VERSION: 'APO signs with a key version that is not configured: add its key from the dashboard',
  SIGNATURE_MISMATCH:
    "the configured key is not APO's, or a proxy changed the path, the query or the body: its diagnosis follows, and `paynotify unverified` shows it",
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
