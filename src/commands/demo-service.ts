import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../config.ts';
import { CommandError } from './failure.ts';

/** The service as a process of its own, as it runs in production. */
export interface DemoService {
  readonly notifyUrl: URL;
  readonly adminUrl: URL;
  /** Its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and its exit code. */
  readonly stop: () => Promise<number | null>;
  /** The last lines of its log. */
  readonly lastWords: () => string;
}

export interface DemoServiceOptions {
  readonly directory: string;
  readonly clientId: string;
  readonly publicKey: string;
  /** Where programs are found; nothing else of it reaches the service. */
  readonly env: Environment;
}

const HOST = '127.0.0.1';
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

export const startService = async (options: DemoServiceOptions): Promise<DemoService> => {
  const log = join(options.directory, 'service.log');
  const child = spawnMain(options, log);
  const process = processOf(child, log);
  try {
    const [port, adminPort] = await until(child, () => portsIn(log));
    const service = {
      ...process,
      notifyUrl: new URL(`http://${HOST}:${port}/payNotify`),
      adminUrl: new URL(`http://${HOST}:${adminPort}`),
    };
    await until(child, async () => (await isReady(new URL('/readyz', service.notifyUrl))) || null);
    return service;
  } catch (error) {
    await process.stop();
    if (!(error instanceof NotInTimeError)) throw error;
    throw new CommandError(`the service does not start:\n${process.lastWords()}`);
  }
};

const spawnMain = ({ directory, clientId, publicKey, env }: DemoServiceOptions, log: string): ChildProcess => {
  const output = openSync(log, 'a');
  return spawn(process.execPath, [MAIN], {
    // Ctrl-C reaches this process alone, which then stops the service by SIGTERM.
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: env['PATH'],
      NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'],
      HOST,
      // Free ones, which the log tells.
      PORT: '0',
      ADMIN_PORT: '0',
      DATABASE_URL: `sqlite:${join(directory, 'demo.db')}`,
      ANTOM_CLIENT_ID: clientId,
      ANTOM_PUBLIC_KEY: publicKey,
      LOG_LEVEL: 'info',
    },
  });
};

const STOPS_WITHIN_MS = 10_000;

const processOf = (child: ChildProcess, log: string): Pick<DemoService, 'exited' | 'stop' | 'lastWords'> => {
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      const overdue = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
      const code = await exited;
      clearTimeout(overdue);
      return code;
    },
    lastWords: () => readFileSync(log, 'utf8').trim().split('\n').slice(-10).join('\n'),
  };
};

const READY_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 50;

class NotInTimeError extends Error {
  override readonly name = 'NotInTimeError';
}

/** Asks until there is something, while the process lives. */
const until = async <T>(child: ChildProcess, ask: () => T | null | Promise<T | null>): Promise<T> => {
  const giveUpAt = performance.now() + READY_WITHIN_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < giveUpAt) {
    const found = await ask();
    if (found !== null) return found;
    await pause(ASK_EVERY_MS);
  }
  throw new NotInTimeError();
};

const portsIn = (log: string): readonly [string, string] | null => {
  const lines = readFileSync(log, 'utf8');
  const [port, adminPort] = ['notifications', 'operators'].map(
    (whom) => new RegExp(`"port":(\\d+),"msg":"listening for ${whom}"`).exec(lines)?.[1],
  );
  return port === undefined || adminPort === undefined ? null : [port, adminPort];
};

const isReady = async (url: URL): Promise<boolean> => {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
};
