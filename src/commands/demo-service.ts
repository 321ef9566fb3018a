import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  const [port, adminPort] = await freePorts();
  const log = join(options.directory, 'service.log');
  const child = spawnMain(options, { PORT: String(port), ADMIN_PORT: String(adminPort) }, log);
  const service = serviceOf(child, { notifyUrl: new URL(`http://${HOST}:${port}/payNotify`), adminUrl: new URL(`http://${HOST}:${adminPort}`), log });
  try {
    await ready(service, child);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
};

const spawnMain = ({ directory, clientId, publicKey, env }: DemoServiceOptions, ports: Environment, log: string): ChildProcess => {
  const output = openSync(log, 'a');
  return spawn(process.execPath, [MAIN], {
    // Ctrl-C reaches this process alone, which then stops the service by SIGTERM.
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: env['PATH'],
      HOST,
      ...ports,
      DATABASE_URL: `sqlite:${join(directory, 'demo.db')}`,
      ANTOM_CLIENT_ID: clientId,
      ANTOM_PUBLIC_KEY: publicKey,
      LOG_LEVEL: 'warn',
    },
  });
};

const STOPS_WITHIN_MS = 10_000;

const serviceOf = (child: ChildProcess, { notifyUrl, adminUrl, log }: Pick<DemoService, 'notifyUrl' | 'adminUrl'> & { readonly log: string }): DemoService => {
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    notifyUrl,
    adminUrl,
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

const ready = async ({ notifyUrl, lastWords }: DemoService, child: ChildProcess): Promise<void> => {
  const until = performance.now() + READY_WITHIN_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < until) {
    if (await isReady(new URL('/readyz', notifyUrl))) return;
    await pause(ASK_EVERY_MS);
  }
  throw new CommandError(`the service does not start:\n${lastWords()}`);
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

/** Two ports that nobody listens on at this moment. */
const freePorts = async (): Promise<readonly [number, number]> => {
  const servers = [createServer(), createServer()] as const;
  const portOf = async (server: (typeof servers)[number]): Promise<number> => {
    server.listen(0, HOST);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ports = [await portOf(servers[0]), await portOf(servers[1])] as const;
  for (const server of servers) server.close();
  return ports;
};
