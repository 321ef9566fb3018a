import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readDeployed } from '../deploy/typed.ts';
import { type Address, eventually, get } from '../support/client.ts';
import { freePort } from '../support/port.ts';
import { type Program, runProgram } from '../support/receiver.ts';

/** A real balancer with the configuration of deploy/. */
export interface Balancer extends Program {
  readonly address: Address;
  readonly hasPrinted: (text: string) => number;
}

const LOCAL = '127.0.0.1';

/** As many as are asked for, each another. */
export const freePorts = async (count: number): Promise<readonly number[]> =>
  await Promise.all(Array.from({ length: count }, freePort));

const requireProgram = (program: string, debianPackage: string): void => {
  if (spawnSync(program, ['-v']).error !== undefined) {
    throw new Error(`this test runs behind a real ${program}, which is missing: apt-get install ${debianPackage}`);
  }
};

/** Replaces exactly that, or fails: a test must not quietly run with something else. */
const replaced = (text: string, from: string | RegExp, to: string): string => {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`the configuration has no ${String(from)}`);
  return changed;
};

/** Writes a configuration file and has the balancer check it: neither an error nor a warning. */
const checked = (text: string, file: string, [program, ...values]: readonly [string, ...string[]]): void => {
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(program, values, { encoding: 'utf8' });
  if (status !== 0 || /\[(warn|alert|emerg)/i.test(stdout + stderr))
    throw new Error(`${program} refuses its configuration: ${stdout}${stderr}`);
};

/** deploy/haproxy.cfg with other ports, checked by `haproxy -c` and run. */
export const startHaproxy = async (directory: string, ports: readonly number[]): Promise<Balancer> => {
  requireProgram('haproxy', 'haproxy');
  const file = join(directory, 'haproxy.cfg');
  const port = await freePort();
  const ours = ports.reduce(
    (text, replica, index) => replaced(text, `paynotify-${index + 1}:8080`, `${LOCAL}:${replica}`),
    readDeployed('haproxy.cfg'),
  );
  checked(replaced(ours, 'bind :8080', `bind ${LOCAL}:${port}`), file, ['haproxy', '-c', '-f', file]);
  return await running(runProgram({}, ['haproxy', '-db', '-f', file]), { port, target: '/haproxyz' });
};

/** Where nginx may write as whoever runs it. */
const TEMPORARY = [
  'client_body_temp_path',
  'proxy_temp_path',
  'fastcgi_temp_path',
  'uwsgi_temp_path',
  'scgi_temp_path',
];

/** deploy/nginx.conf with other ports, checked by `nginx -t` and run. */
export const startNginx = async (directory: string, ports: readonly [number, number, number]): Promise<Balancer> => {
  requireProgram('nginx', 'nginx-light');
  const file = join(directory, 'nginx.conf');
  const port = await freePort();
  const ours = ports.reduce(
    (text, replica, index) => replaced(text, `10.0.0.${index + 11}:8080`, `${LOCAL}:${replica}`),
    readDeployed('nginx.conf'),
  );
  const listening = replaced(ours, 'listen 80;', `listen ${LOCAL}:${port};`);
  const here = ['access_log off;', ...TEMPORARY.map((name) => `${name} ${join(directory, name)};`)].join(' ');
  // Its workers are nobody unless told otherwise, and that one may not write here.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  const options = [
    '-p',
    directory,
    '-c',
    file,
    '-e',
    'stderr',
    '-g',
    `${user}pid ${join(directory, 'nginx.pid')}; daemon off;`,
  ];
  checked(replaced(listening, 'http {', `http { ${here}`), file, ['nginx', '-t', ...options]);
  return await running(runProgram({}, ['nginx', ...options]), { port, target: null });
};

/** Once it answers, with 200 where a target is given; throws what it printed where it ends instead. */
const running = async (
  program: Program,
  { port, target }: { readonly port: number; readonly target: string | null },
): Promise<Balancer> => {
  const address = { host: LOCAL, port };
  const { child, exited, output } = program;
  const printed = (): string => Object.values(output()).join('\n');
  const answers = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`the balancer ended with ${await exited}: ${printed()}`);
    return await get(address, target ?? '/').then(
      ({ status }) => target === null || status === 200,
      () => false,
    );
  };
  await eventually('an answer of the balancer', answers, (isThere) => isThere);
  return { ...program, address, hasPrinted: (text) => printed().split(text).length - 1 };
};

/** What compose.yaml gives a replica: seconds from SIGTERM until it stops accepting. */
export const drainDelay = (): string => {
  const { services } = parse(readDeployed('compose.yaml'), { merge: true }) as {
    readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string>> }>>;
  };
  const delay = services['paynotify-1']?.environment?.['DRAIN_DELAY'];
  if (delay === undefined) throw new Error('compose.yaml gives no DRAIN_DELAY');
  return delay;
};
