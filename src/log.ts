import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WriteStream as Terminal } from 'node:tty';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { PrettyOptions } from 'pino-pretty';

/** The only fields that reach the log. A body, a header, a token or anything of a card is not among them. */
const ALLOWED: ReadonlySet<string> = new Set([
  'requestId',
  'status',
  'kind',
  'paymentId',
  'paymentRequestId',
  'clientId',
  'outcome',
  'reason',
  'diagnosis',
  'unverifiedId',
  'deliveries',
  'ms',
  'address',
  'hint',
  'keyVersion',
  'keyFingerprint',
  'notificationId',
  'host',
  'origin',
  'port',
  'database',
  'signal',
  'orders',
  'changed',
  'moved',
  'count',
  'bytes',
  'maxBytes',
  'share',
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
/** What may wait for a reader. Lines beyond it are dropped and counted: the service goes on without its log. */
const UNREAD_BYTES = 1_048_576;

/**
 * JSON lines, written without blocking the event loop and many at once. `flush` resolves when all are written or after
 * a second; `close` does so and is the last call.
 */
export const openLog = ({
  level,
  pretty: forPerson,
  descriptor = 1,
}: LogOptions): { readonly log: Log; readonly flush: () => Promise<void>; readonly close: () => Promise<void> } => {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { log: onlyAllowed } };
  if (forPerson) {
    // Loaded only for a person: a service has no use for it.
    const pretty = createRequire(import.meta.url)('pino-pretty') as (options: PrettyOptions) => DestinationStream;
    const stream = pretty({ destination: descriptor, sync: true, translateTime: 'SYS:HH:MM:ss.l' });
    return { log: pino(options, stream), flush: () => Promise.resolve(), close: () => Promise.resolve() };
  }
  const isPipe = descriptor === 1 && process.stdout instanceof Socket && !(process.stdout instanceof Terminal);
  const lines = gather(isPipe ? toPipe(process.stdout) : toFile(descriptor), (count) =>
    log.warn({ count }, 'so many lines were dropped: nobody read standard output, or not fast enough'),
  );
  const log = pino(options, lines);
  const timer = setInterval(() => lines.flush(), WRITTEN_AFTER_MS).unref();
  /** Standard output may be gone, or nobody may read it. */
  const flush = async (): Promise<void> => {
    await Promise.race([
      new Promise<void>((resolve) => lines.flush(resolve)),
      pause(FLUSHED_WITHIN_MS, undefined, { ref: false }),
    ]);
  };
  return {
    log,
    flush,
    close: async () => {
      clearInterval(timer);
      await flush();
    },
  };
};

interface Destination {
  /** False where too much is unread: then the text is dropped. */
  readonly write: (text: string) => boolean;
  readonly flush: (done?: () => void) => void;
}

/**
 * A pipe is full when nobody reads it. Node's own stream for it never blocks; a write by a thread would, and then the
 * process could not even exit.
 */
const toPipe = (stdout: Socket): Destination => {
  // A log that cannot be written must not end the service, whatever a command does about a closed pipe.
  stdout.removeAllListeners('error').on('error', () => undefined);
  return {
    write: (text) => {
      if (stdout.writableLength >= UNREAD_BYTES) return false;
      stdout.write(text);
      return true;
    },
    flush: (done) => {
      if (done !== undefined) stdout.write('', () => done());
    },
  };
};

const toFile = (dest: number): Destination => {
  const file = pino.destination({ dest, sync: false, minLength: WRITTEN_AT_ONCE_BYTES, maxLength: UNREAD_BYTES });
  let drops = 0;
  // A log that cannot be written must not end the service.
  file.on('error', () => undefined).on('drop', () => (drops += 1));
  // Pino calls it when the process exits; what cannot be written it would try to write for ever.
  file.flushSync = () => undefined;
  return {
    write: (text) => {
      const before = drops;
      file.write(text);
      return drops === before;
    },
    flush: (done) => file.flush(done === undefined ? undefined : () => done()),
  };
};

/**
 * Lines are handed on many at once: a destination that waits for more itself measures all that it holds again for each
 * line, and under load that is the larger part of what a line costs.
 */
const gather = (
  destination: Destination,
  onDropped: (count: number) => void,
): Pick<Destination, 'flush'> & DestinationStream => {
  let lines: string[] = [];
  let length = 0;
  let dropped = 0;
  /** Told by a line that is not passed on yet: where that is dropped as well, it is told again. */
  let told = 0;
  const pass = (): void => {
    if (lines.length === 0 && dropped === 0) return;
    const [passed, toldBefore] = [lines, told];
    [lines, length, told] = [[], 0, 0];
    if (!destination.write(passed.join(''))) dropped += toldBefore + passed.length - Number(toldBefore > 0);
    else if (dropped > 0) {
      [told, dropped] = [dropped, 0];
      onDropped(told);
    }
  };
  return {
    write: (line) => {
      length += line.length;
      lines.push(line);
      if (length >= WRITTEN_AT_ONCE_BYTES) pass();
    },
    flush: (done) => {
      pass();
      if (done === undefined) return destination.flush();
      destination.flush(() => {
        // Asked for during a write, it ended with that write, and what came meanwhile is still to be written.
        pass();
        // How many were dropped, now that there is room to say it.
        pass();
        destination.flush(done);
      });
    },
  };
};

const MINUTE_MS = 60_000;

/** Whether something was not said within the last minute: an outage is told at once, and then once a minute. */
export const oncePerMinute = (): ((text: string) => boolean) => {
  const said = new Map<string, number>();
  return (text) => {
    const now = performance.now();
    for (const [other, at] of said) if (now - at >= MINUTE_MS) said.delete(other);
    if (said.has(text)) return false;
    said.set(text, now);
    return true;
  };
};

/** What of an error may be logged: its kind and its own words, never the values that it was about. */
export const problemOf = (error: unknown): { readonly error: string; readonly code?: string } => {
  if (typeof error !== 'object' || error === null) return { error: 'unknown' };
  const name = 'name' in error ? String(error.name) : 'Error';
  const message = 'message' in error ? String(error.message) : '';
  return { error: `${name}: ${message}`.slice(0, 300), ...('code' in error ? { code: String(error.code) } : {}) };
};
