import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { UnverifiedReason } from '../antom/signature.ts';
import type { Log } from '../log.ts';
import type { PayNotifyResult } from '../pay-notify.ts';
import { clientAddress } from './client-address.ts';

/** The log line of one request to a notify path, written once its status is decided. */
export interface RequestLog {
  readonly refused: (status: number) => void;
  readonly received: (status: number, result: PayNotifyResult) => void;
}

/** Returns what opens the line of a request: its id, address and duration are in it whatever becomes of it. */
export const createRequestLog = (log: Log, trustProxy: number): ((request: IncomingMessage) => RequestLog) => {
  const nextId = createRequestIds();
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
      refused: (status) => log.info(line(status), 'refused'),
      received: (status, result) => logResult(log, result, line(status)),
    };
  };
};

interface Line {
  readonly requestId: string;
  readonly status: number;
  readonly address: string | undefined;
  readonly ms: number;
}

const logResult = (log: Log, result: PayNotifyResult, line: Line): void => {
  const { reason } = result;
  if (result.kind === 'not stored') {
    log.error(
      { ...line, problem: result.because, ...(reason === null ? {} : { reason }) },
      'not stored, not acknowledged',
    );
    return;
  }
  const { recorded } = result;
  if (recorded.kind === 'unverified') {
    const hint = reason === null ? undefined : HINTS[reason];
    log.warn(
      { ...line, reason, deliveries: recorded.deliveries, ...(hint === undefined ? {} : { hint }) },
      'unverified',
    );
    return;
  }
  const { kind, paymentId, outcome, problem } = recorded.reading;
  const fields = {
    ...line,
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
