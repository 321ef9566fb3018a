import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/config.ts';
import { openLog } from '../../src/log.ts';
import type { Order } from '../../src/order/order.ts';
import { start } from '../../src/receiver.ts';
import { type Address, type Answer, eventually, get, type Post, send, type Signer } from './client.ts';

export type Environment = Readonly<Record<string, string>>;

/** A directory of its own under the system's temporary one. */
export const makeDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-'));
  directories.add(directory);
  return directory;
};
const directories = new Set<string>();
export const removeDirectory = (directory: string): void => rmSync(directory, { recursive: true, force: true });
/** Removes every one that this test file made. */
export const removeDirectories = (): void => directories.forEach(removeDirectory);

/** What a receiver needs at least: its client's key, any free ports, and a database file in `directory`. */
export const environmentOf = (directory: string, signer: Pick<Signer, 'clientId' | 'publicKey'>): Environment => ({
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  DATABASE_URL: `sqlite:${join(directory, 'paynotify.db')}`,
  ANTOM_CLIENT_ID: signer.clientId,
  ANTOM_PUBLIC_KEY: signer.publicKey,
});

export type LogLine = Readonly<Record<string, unknown>>;

/** A receiver as a sender and an operator see it. */
export interface Receiver {
  readonly address: Address;
  readonly admin: Address;
  readonly post: (post: Post) => Promise<Answer>;
  /** The state that /readyz answers with. */
  readonly readiness: () => Promise<{ readonly status: number; readonly state: string }>;
  readonly read: (target: string) => Promise<AdminAnswer>;
  readonly order: (id: string) => Promise<Order | null>;
  readonly unverified: () => Promise<readonly UnverifiedItem[]>;
  readonly notifications: () => Promise<readonly NotificationItem[]>;
}

export interface AdminAnswer {
  readonly status: number;
  readonly json: unknown;
}

export interface NotificationItem {
  readonly id: string;
  readonly clientId: string;
  readonly kind: string;
  readonly paymentId: string | null;
  readonly outcome: string;
  readonly deliveries: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

export interface UnverifiedItem {
  readonly id: string;
  readonly reason: string;
  readonly deliveries: number;
  readonly bytes: number;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
}

const receiverAt = (address: Address, admin: Address): Receiver => {
  const read = async (target: string): Promise<AdminAnswer> => {
    const { status, text } = await get(admin, target);
    return { status, json: JSON.parse(text) as unknown };
  };
  /** Every page of a list. */
  const list = async <T>(path: string): Promise<readonly T[]> => {
    const items: T[] = [];
    for (let cursor: string | null = '', more = true; more; more = cursor !== null) {
      const { status, json } = await read(`${path}?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`);
      if (status !== 200) throw new Error(`${path} answered ${status}`);
      const page = json as { readonly items: readonly T[]; readonly next: string | null };
      items.push(...page.items);
      cursor = page.next;
    }
    return items;
  };
  return {
    address,
    admin,
    read,
    post: (post) => send(address, post),
    readiness: async () => {
      const { status, text } = await get(address, '/readyz');
      return { status, state: (JSON.parse(text) as { status: string }).status };
    },
    order: async (id) => {
      const { status, json } = await read(`/api/orders/${encodeURIComponent(id)}`);
      return status === 404 ? null : (json as Order);
    },
    unverified: () => list<UnverifiedItem>('/api/unverified'),
    notifications: () => list<NotificationItem>('/api/notifications'),
  };
};

/** The receiver within this process. */
export interface InProcess extends Receiver {
  readonly reloadKeys: () => void;
  readonly log: () => Promise<readonly LogLine[]>;
  readonly stop: () => Promise<number>;
}

/** Starts the real receiver in this process; resolves once its listeners answer, the store may still be opening. */
export const startReceiver = async (directory: string, env: Environment): Promise<InProcess> => {
  const logFile = join(directory, `log-${process.hrtime.bigint()}.jsonl`);
  const descriptor = openSync(logFile, 'a');
  const { log, flush, close } = openLog({ level: 'info', pretty: false, descriptor });
  const running = await start(readConfig(env), log);
  let isRunning = true;
  const logged = async (): Promise<readonly LogLine[]> => {
    if (isRunning) await flush();
    return linesOf(readFileSync(logFile, 'utf8').replace(/[^\n]*$/, ''));
  };
  return {
    ...receiverAt(running.publicAddress, running.adminAddress),
    reloadKeys: running.reloadKeys,
    log: logged,
    stop: async () => {
      const code = await running.stop('test');
      await close();
      isRunning = false;
      closeSync(descriptor);
      return code;
    },
  };
};

/** The same, once it is ready. */
export const startReady = async (directory: string, env: Environment): Promise<InProcess> => {
  const receiver = await startReceiver(directory, env);
  await becomesReady(receiver);
  return receiver;
};

export const becomesReady = async (receiver: Pick<Receiver, 'readiness'>): Promise<void> => {
  await eventually('ready', receiver.readiness, ({ status }) => status === 200);
};

const linesOf = (text: string): readonly LogLine[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);

/** The receiver as a process of its own. */
export interface ReceiverProcess extends Receiver {
  readonly child: ChildProcess;
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly log: () => readonly LogLine[];
  readonly kill: (signal: NodeJS.Signals) => void;
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

export interface Program {
  readonly child: ChildProcess;
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** Without the `.env` that a developer may have in the checkout: the command line reads it. */
const NEUTRAL = fileURLToPath(new URL('.', import.meta.url));

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The command that runs the program: Node and its file. */
export const COMMAND: readonly [string, ...string[]] = [process.execPath, MAIN];

const children = new Set<ChildProcess>();

/**
 * A program that runs another one (a shell, strace) is the head of a group: a signal reaches both. To one that has ended
 * meanwhile, of which `close` has not told yet, it does nothing.
 */
const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Ends what is still running; for `afterEach`, so that a test that fails leaves nothing behind. */
export const endPrograms = async (): Promise<void> => {
  const ended = [...children].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of children) signalGroup(child, 'SIGKILL');
  await Promise.all(ended);
};

/** Runs a command with this environment and no other, save the PATH. */
export const runProgram = (env: Environment, command: readonly [string, ...string[]] = COMMAND): Program => {
  const [program, ...values] = command;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(program, values, {
    cwd: NEUTRAL,
    env: { PATH, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.add(child);
  child.once('close', () => children.delete(child));
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  return {
    child,
    output: () => ({ ...texts }),
    exited: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    }),
  };
};

/** Starts the program as it is shipped, and learns its ports from its log. */
export const startProcess = async (env: Environment, command = COMMAND): Promise<ReceiverProcess> => {
  const program = runProgram(env, command);
  const log = (): readonly LogLine[] => linesOf(program.output().stdout.replace(/[^\n]*$/, ''));
  let gone = false;
  void program.exited.then(() => {
    gone = true;
    return gone;
  });
  const listening = await eventually(
    'listening',
    () => log().filter(({ msg }) => typeof msg === 'string' && msg.startsWith('listening for')),
    (lines) => lines.length === 2 || gone,
  );
  const [forNotifications, forOperators] = listening;
  if (forOperators === undefined) throw new Error(`the receiver did not start: ${JSON.stringify(program.output())}`);
  return {
    ...program,
    ...receiverAt(toAddress(forNotifications), toAddress(forOperators)),
    log,
    kill: (signal) => signalGroup(program.child, signal),
  };
};

/** The same, once it is ready. */
export const startProcessReady = async (env: Environment, command = COMMAND): Promise<ReceiverProcess> => {
  const receiver = await startProcess(env, command);
  await becomesReady(receiver);
  return receiver;
};

const toAddress = (line: LogLine | undefined): Address => ({
  host: String(line?.['host']),
  port: Number(line?.['port']),
});

export const fileIn = (directory: string): string => join(directory, 'paynotify.db');

/** Reads the receiver's database with a connection of the test's own. */
export const query = (directory: string, sql: string): readonly Readonly<Record<string, unknown>>[] => {
  const db = new DatabaseSync(fileIn(directory), { readOnly: true, timeout: 5_000 });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
};

/** Holds the write lock of the database until it is released. */
export const holdWriteLock = (directory: string): { readonly release: () => void } => {
  const db = new DatabaseSync(fileIn(directory), { timeout: 5_000 });
  db.exec('begin immediate');
  return {
    release: () => {
      db.exec('rollback');
      db.close();
    },
  };
};

/** What names a notification: the SHA-256 of its body. */
export const idOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');
