import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { openExisting } from '../../src/commands/stored.ts';
import { type Ended, runHere } from '../commands/support.ts';
import { createSigner, type Signer } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import { newSecret } from '../support/shop.ts';
import { type Environment, makeDirectory, type ReceiverProcess, startProcessReady } from '../support/receiver.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** How the documents start paynotify in a checkout, and what npm runs then. */
export const START = 'npm start';
const { start: STARTED } = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: { readonly start: string } }
).scripts;

/** A checkout in a directory of its own, with paynotify running in it. */
export interface Site {
  readonly directory: string;
  readonly receiver: () => ReceiverProcess;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Runs a command line of a document in the checkout. */
  readonly run: (command: string) => Promise<Ended>;
  /** The same of a command of paynotify, without the second that a process takes to start. */
  readonly here: (command: string) => Promise<Ended>;
  /** A public key that is accepted as well, from the next start on. */
  readonly addKey: (publicKey: string) => void;
}

const LINKED = ['src', 'deploy', 'bench', 'node_modules', 'package.json', 'check-node.js', 'Dockerfile'];

const makeCheckout = (): string => {
  const directory = makeDirectory();
  for (const name of LINKED) symlinkSync(join(ROOT, name), join(directory, name));
  copyFileSync(join(ROOT, '.env.example'), join(directory, '.env.example'));
  copyFileSync(join(ROOT, '.env.example'), join(directory, '.env'));
  mkdirSync(join(directory, 'bin'));
  symlinkSync(join(ROOT, 'src/cli.ts'), join(directory, 'bin/paynotify'));
  return directory;
};

const PATH = process.env['PATH'] ?? '';

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Every curl that there is: this machine's, if it has one, and ours. */
export const CURLS: readonly string[] = [
  fileURLToPath(new URL('curl.ts', import.meta.url)),
  ...PATH.split(delimiter)
    .map((place) => join(place, 'curl'))
    .filter(isProgram)
    .slice(0, 1),
];

/** Makes `curl` this one, and its exit code tell whether the request was answered well. */
export const useCurl = ({ directory }: Pick<Site, 'directory'>, program: string): void => {
  const options = program.endsWith('.ts') ? '' : ' --fail-with-body --silent --show-error';
  const file = join(directory, 'bin/curl');
  writeFileSync(file, `#!/bin/sh\nexec ${program}${options} "$@"\n`);
  chmodSync(file, 0o755);
};

export const createSite = async (): Promise<Site> => {
  const directory = makeCheckout();
  const signer = createSigner();
  const keys = [signer.publicKey];
  const secret = newSecret();
  let receiver: ReceiverProcess | null = null;
  const env = (): Environment => ({
    PATH: [join(directory, 'bin'), dirname(process.execPath), PATH].join(delimiter),
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    ANTOM_CLIENT_ID: signer.clientId,
    ANTOM_PUBLIC_KEY: keys.join(','),
    // No shop is there: what is posted waits.
    CALLBACK_URL: 'http://127.0.0.1:9/callbacks',
    CALLBACK_SECRETS: secret,
  });
  const start = async (): Promise<void> => {
    receiver = await startProcessReady(env(), ['/bin/sh', '-c', `cd '${directory}' && ${STARTED}`]);
  };
  const site: Site = {
    directory,
    receiver: () => {
      if (receiver === null) throw new Error('paynotify does not run');
      return receiver;
    },
    start,
    stop: async () => {
      const running = site.receiver();
      running.kill('SIGTERM');
      const code = await running.exited;
      if (code !== 0) throw new Error(`paynotify ended with ${code}`);
      receiver = null;
    },
    run: async (command) => await inShell(command, { directory, env: env() }),
    here: async (command) => await inThisProcess(command, { directory, env: env() }),
    addKey: (publicKey) => keys.push(publicKey),
  };
  await start();
  await fill(site.receiver(), signer);
  return site;
};

interface Place {
  readonly directory: string;
  readonly env: Environment;
}

const inShell = async (command: string, { directory, env }: Place): Promise<Ended> =>
  await new Promise((resolve, reject) => {
    const { NODE_COMPILE_CACHE } = process.env;
    const child = spawn('/bin/sh', ['-c', command], { cwd: directory, env: { NODE_COMPILE_CACHE, ...env } });
    const texts = { out: '', err: '' };
    child.stdout.on('data', (text: Buffer) => (texts.out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (texts.err += text.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
  });

/** Its words as a shell takes them, and what `.env` says as a process of its own would read it. */
const inThisProcess = async (command: string, { directory, env }: Place): Promise<Ended> => {
  const script = `paynotify() { printf '%s\\0' "$DATABASE_URL" "$@"; }; ${command}`;
  const { stdout } = spawnSync('/bin/sh', ['-c', script], { cwd: directory, env: {}, encoding: 'utf8' });
  const [url = '', ...words] = stdout.split('\0').slice(0, -1);
  const written = parseEnv(readFileSync(join(directory, '.env'), 'utf8'));
  const from = process.cwd();
  process.chdir(directory);
  try {
    const given = { ...written, ...env, ...(url === '' ? {} : { DATABASE_URL: url }) };
    return await runHere(words, { env: given, ask: null, openStore: openExisting });
  } finally {
    process.chdir(from);
  }
};

const SUCCESS: Fields = { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' };

/** The payments that the documents name, and one of everything that they look for. */
const NOTIFICATIONS: readonly Fields[] = [
  {
    notifyType: 'PAYMENT_RESULT',
    result: SUCCESS,
    paymentId: '202505171940108001001885J0234117653',
    paymentRequestId: 'PR_1747468651136',
    paymentAmount: { currency: 'HKD', value: '10000' },
    pspCustomerInfo: { pspName: 'TNG' },
  },
  {
    notifyType: 'PAYMENT_RESULT',
    result: SUCCESS,
    paymentId: '20250317194010890100111600255689113',
    paymentRequestId: 'G153202503171022523041',
    paymentAmount: { currency: 'JPY', value: '120' },
    paymentTime: '2025-03-16T19:27:17-07:00',
    acquirerInfo: { acquirerName: 'CHECKOUT' },
  },
  {
    notifyType: 'CAPTURE_RESULT',
    result: SUCCESS,
    paymentId: '20250317194010890100111600255689113',
    captureId: '20250317194010890100111600255676857',
    captureAmount: { currency: 'JPY', value: '120' },
  },
  { notifyType: 'REFUND_RESULT', result: SUCCESS, refundId: 'F1', refundRequestId: 'FR1' },
  { notifyType: 'PAYMENT_RESULT', result: { resultStatus: '?' }, paymentRequestId: 'R9' },
];

const fill = async (receiver: ReceiverProcess, signer: Signer): Promise<void> => {
  const stranger = createSigner('STRANGER');
  for (const fields of NOTIFICATIONS) await receiver.post(signer.sign(fields));
  await receiver.post(stranger.sign({ notifyType: 'PAYMENT_RESULT' }));
};
