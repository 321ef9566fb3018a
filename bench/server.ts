import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type OwnServer, startOwnServer } from '../test/support/postgres.ts';

export interface ServerOptions {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** The file that its standard output is appended to. */
  readonly log: string;
  /** A path whose response is below 500 once the server is ready. */
  readonly readyPath: string;
  /** Options of Node itself. */
  readonly flags?: readonly string[];
  /** On the first core only, as everything that is compared. */
  readonly pinned?: boolean;
}

export interface RunningServer {
  /** User and system time of all its threads so far, in microseconds. */
  readonly cpu: () => number;
  /** The most memory it ever held, in MiB. */
  readonly peakRss: () => number;
  /** Stops all its threads (SIGSTOP), so that it uses no processor until it is resumed. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly stop: () => Promise<void>;
}

/** The load generator's own pinning is inherited otherwise. */
const EVERY_CORE = `0-${cpus().length - 1}`;
const canPin = cpus().length > 1 && spawnSync('taskset', ['-V']).status === 0;

/** A measurement that fails leaves no server behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server as a separate process; on the first core if there are two and `taskset` is installed. */
export const startServer = async ({
  file,
  env,
  port,
  log,
  readyPath,
  flags = [],
  pinned = true,
}: ServerOptions): Promise<RunningServer> => {
  const program = [process.execPath, ...flags, file];
  const command = canPin ? ['taskset', '-c', pinned ? '0' : EVERY_CORE, ...program] : program;
  const child: ChildProcess = spawn(command[0] ?? '', command.slice(1), {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', openSync(log, 'a'), 'inherit'],
  });
  running.add(child);
  await ready(child, `http://127.0.0.1:${port}${readyPath}`);
  return {
    cpu: () => cpuOf(child.pid),
    peakRss: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      running.delete(child);
    },
  };
};

/** The load generator takes the second core, with all its threads. */
export const pinLoadGenerator = (): void => takeCores('1');

const takeCores = (cores: string): void => {
  if (canPin) spawnSync('taskset', ['-apc', cores, String(process.pid)]);
};

/** PostgreSQL may run on every core, as in production. */
export const startDatabase = async (): Promise<OwnServer> => {
  takeCores(EVERY_CORE);
  try {
    return await startOwnServer({ shared_buffers: '128MB' });
  } finally {
    pinLoadGenerator();
  }
};

const READY_WITHIN_MS = 20_000;

const ready = async (child: ChildProcess, url: string): Promise<void> => {
  const giveUpAt = performance.now() + READY_WITHIN_MS;
  while (performance.now() < giveUpAt) {
    if (child.exitCode !== null)
      throw new Error(`${child.spawnargs.at(-1)} ended with ${child.exitCode} before it was ready`);
    try {
      const { status } = await fetch(url);
      if (status < 500) return;
    } catch {
      // Not listening yet.
    }
    await pause(50);
  }
  child.kill('SIGKILL');
  throw new Error(`${child.spawnargs.at(-1)} did not become ready`);
};

/** Of all threads, in nanoseconds as the scheduler counts them (Linux: Documentation/scheduler/sched-stats). */
const cpuOf = (pid: number | undefined): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0) / 1_000;
