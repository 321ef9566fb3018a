import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { PrettyOptions } from 'pino-pretty';

/** The only fields that reach the log. A body, a header, a token or anything of a card is not among them. */
const ALLOWED: ReadonlySet<string> = new Set([
  'requestId',
  'status',
  'kind',
  'paymentId',
  'clientId',
  'outcome',
  'reason',
  'deliveries',
  'ms',
  'address',
  'hint',
  'keyVersion',
  'keyFingerprint',
  'notificationId',
  'host',
  'port',
  'database',
  'signal',
  'orders',
  'changed',
  'moved',
  'count',
  'bytes',
  'maxBytes',
  'problem',
  'error',
  'code',
]);

export type Log = Logger;

const onlyAllowed = (fields: Record<string, unknown>): Record<string, unknown> => {
  const kept: Record<string, unknown> = {};
  for (const name in fields) if (ALLOWED.has(name)) kept[name] = fields[name];
  return kept;
};

export interface LogOptions {
  readonly level: string;
  /** Pretty lines for a person instead of JSON. */
  readonly pretty: boolean;
  /** A file descriptor; 1 is standard output. */
  readonly descriptor?: number;
}

/** One write for many lines under load; a line alone waits no longer than this. */
const WRITTEN_AT_ONCE_BYTES = 8_192;
const WRITTEN_AFTER_MS = 100;
const FLUSHED_WITHIN_MS = 1_000;

/** JSON lines, written without blocking the event loop and many at once; `close` is the last call. */
export const openLog = ({
  level,
  pretty: forPerson,
  descriptor = 1,
}: LogOptions): { readonly log: Log; readonly flush: () => void; readonly close: () => Promise<void> } => {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { log: onlyAllowed } };
  if (forPerson) {
    // Loaded only for a person: a service has no use for it.
    const pretty = createRequire(import.meta.url)('pino-pretty') as (options: PrettyOptions) => DestinationStream;
    const stream = pretty({ destination: descriptor, sync: true, translateTime: 'SYS:HH:MM:ss.l' });
    return { log: pino(options, stream), flush: () => undefined, close: () => Promise.resolve() };
  }
  const destination = pino.destination({ dest: descriptor, sync: false, minLength: WRITTEN_AT_ONCE_BYTES });
  // A log that cannot be written must not end the service.
  destination.on('error', () => undefined);
  const lines = gather(destination);
  const timer = setInterval(() => lines.flush(), WRITTEN_AFTER_MS).unref();
  return {
    log: pino(options, lines),
    flush: lines.flushSync,
    close: async () => {
      clearInterval(timer);
      // Also what is being written at this moment; standard output may be gone, or nobody may read it.
      await Promise.race([
        new Promise((resolve) => lines.flush(resolve)),
        pause(FLUSHED_WITHIN_MS, undefined, { ref: false }),
      ]);
    },
  };
};

type Destination = ReturnType<typeof pino.destination>;

/**
 * Lines are handed on many at once: a destination that waits for more itself measures all that it holds again for each
 * line, and under load that is the larger part of what a line costs.
 */
const gather = (destination: Destination): Pick<Destination, 'flush' | 'flushSync'> & DestinationStream => {
  let lines: string[] = [];
  let length = 0;
  const pass = (): void => {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    length = 0;
    destination.write(text);
  };
  return {
    write: (line) => {
      length += line.length;
      lines.push(line);
      if (length >= WRITTEN_AT_ONCE_BYTES) pass();
    },
    flush: (done) => {
      pass();
      destination.flush(done);
    },
    // Also called by pino, after a line that is fatal.
    flushSync: () => {
      pass();
      destination.flushSync();
    },
  };
};

/** What of an error may be logged: its kind and its own words, never the values that it was about. */
export const problemOf = (error: unknown): { readonly error: string; readonly code?: string } => {
  if (typeof error !== 'object' || error === null) return { error: 'unknown' };
  const name = 'name' in error ? String(error.name) : 'Error';
  const message = 'message' in error ? String(error.message) : '';
  return { error: `${name}: ${message}`.slice(0, 300), ...('code' in error ? { code: String(error.code) } : {}) };
};
