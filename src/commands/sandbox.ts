import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { openLedgerFile } from '../sandbox/ledger-file.ts';
import { GOOD, MISBEHAVIOURS, readShares, type Settings, type Shares } from '../sandbox/misbehaviour.ts';
import { isSandboxClient } from '../sandbox/client-id.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { codeOf } from '../thrown.ts';
import { CommandError, reasonOf } from './failure.ts';
import { httpUrl, wholeNumber } from './options.ts';
import { readSandboxKeys, type SandboxKeys } from './sandbox-keys.ts';
import { findSample } from './samples.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { aborted, untilSignalled } from './signals.ts';

export interface SandboxOptions {
  readonly host: string;
  readonly port: number;
  readonly client: string;
  readonly notifyUrl: string;
  readonly keys: string;
  readonly apoKey?: string;
  readonly merchantKey?: string;
  readonly merchantKeyVersion: string;
  readonly ledger?: string;
  readonly speed: number;
  readonly seed?: number;
  readonly misbehave: Partial<Shares>;
  readonly slow: number;
  readonly rotateAfter?: number;
  readonly json?: true;
}

const SEEDS = 2 ** 32 - 1;
const MANY = 1_000_000;
const PORT = 8_081;
const SECOND = 1_000;

const sandboxClient = (text: string): string => {
  if (!isSandboxClient(text))
    throw new InvalidArgumentError('It must begin with SANDBOX_: any other may be a client of the live environment.');
  return text;
};
const shares = (text: string, before: Partial<Shares>): Partial<Shares> => {
  const read = readShares(text);
  if ('problem' in read)
    throw new InvalidArgumentError(
      `${read.problem} is none: it must be name=share, with a share from 0 to 1 and one of ${Object.keys(MISBEHAVIOURS).join(', ')}.`,
    );
  return { ...before, ...read };
};

const LISTED = `\nMisbehaviours:\n${Object.entries(MISBEHAVIOURS)
  .map(([name, about]) => `  ${name.padEnd(16)}${about}`)
  .join('\n')}`;

export const addSandbox: AddCommand = (program, shell) => {
  const command = program
    .command('sandbox')
    .summary('run a local stand-in for APO')
    .description(
      'Answers pay (by a test method), capture, inquiryPayment, cancel, refund and inquiryRefund as APO does, with signed responses, and sends signed notifications until they are acknowledged. Its page at / shows what it sent and what was answered; /control is told what to do. Runs until SIGTERM or Ctrl-C.',
    )
    .option('--host <host>', 'where it listens', '127.0.0.1')
    .option('--port <n>', '0 takes a free one', wholeNumber(0, 65_535), PORT)
    .option('--client <client-id>', 'a SANDBOX_ client', sandboxClient, 'SANDBOX_LOCAL')
    .option(
      '--notify-url <url>',
      'the notification URL, as the dashboard has it',
      httpUrl,
      'http://127.0.0.1:8080/payNotify',
    );
  addKeys(command)
    .option(
      '--ledger <file>',
      'keep the ledger in this file, and go on with it; notifications that were not acknowledged are not in it',
    )
    .option('--speed <n>', 'divides all waits, as those of resends', wholeNumber(1, MANY), 1);
  addMisbehaviour(command)
    .option('--json', 'JSON')
    .action(async (options: SandboxOptions) => await runSandbox(options, shell));
};

const addKeys = (command: Command): Command =>
  command
    .option('--keys <directory>', 'where both key pairs are, and are made where they are not', 'data/sandbox')
    .option('--apo-key <file>', "APO's private key instead: PEM or bare Base64")
    .option('--merchant-key <file>', "the merchant's public key instead: PEM or bare Base64")
    .option('--merchant-key-version <version>', 'the keyVersion of its calls', '1');

const addMisbehaviour = (command: Command): Command =>
  command
    .addOption(
      new Option('--misbehave <name=share,…>', 'how often it misbehaves: lost=0.2,duplicates=0.1')
        .argParser(shares)
        .default({}, 'never'),
    )
    .option('--seed <n>', 'of what is drawn: the same payments meet the same fate', wholeNumber(0, SEEDS))
    .option('--slow <seconds>', 'how late a slow answer is', wholeNumber(0, 600), 20)
    .option('--rotate-after <n>', 'change the key after so many notifications', wholeNumber(1, MANY))
    .addHelpText('after', LISTED);

const settingsOf = ({ speed, slow, rotateAfter, misbehave }: SandboxOptions): Settings => ({
  speed,
  slowMs: slow * SECOND,
  rotateAfter: rotateAfter ?? null,
  shares: { ...GOOD, ...misbehave },
});

const runSandbox = async (options: SandboxOptions, shell: Shell): Promise<void> => {
  const signal = untilSignalled();
  const keys = await readSandboxKeys(options);
  const seed = options.seed ?? randomInt(SEEDS);
  const sandbox = await start(options, { keys, seed, shell });
  try {
    tell(sandbox, { options, keys, seed, shell });
    await aborted(signal);
  } finally {
    await sandbox.stop();
  }
};

interface Starting {
  readonly keys: SandboxKeys;
  readonly seed: number;
  readonly shell: Shell;
}

const start = async (options: SandboxOptions, { keys, seed, shell }: Starting): Promise<Sandbox> => {
  const { host, port, client, notifyUrl, ledger } = options;
  // Only this command waits for Express to be loaded.
  const { startSandbox } = await import('../sandbox/sandbox.ts');
  const ledgerFile = ledger === undefined ? null : openLedger(ledger);
  try {
    return await startSandbox({
      host,
      port,
      clientId: client,
      privateKey: keys.apoKey,
      merchantKey: keys.merchantKey,
      notifyUrl,
      seed,
      settings: settingsOf(options),
      ledgerFile,
      sample: (name) => findSample(name)?.notification ?? {},
      onRotated: ({ version, publicKey }) => shell.err(`The key has changed: ANTOM_PUBLIC_KEY=${version}:${publicKey}`),
    });
  } catch (error) {
    throw new CommandError(`${host}:${port} cannot be listened on: ${codeOf(error) ?? reasonOf(error)}`);
  }
};

const openLedger = (file: string): ReturnType<typeof openLedgerFile> => {
  try {
    return openLedgerFile(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be used as a ledger: ${codeOf(error) ?? reasonOf(error)}`);
  }
};

/** How paynotify is configured against it. */
const environmentOf = (
  { url, publicKey }: Sandbox,
  { client }: SandboxOptions,
  { merchantPrivateKeyFile }: SandboxKeys,
): Readonly<Record<string, string>> => ({
  ANTOM_CLIENT_ID: client,
  ANTOM_PUBLIC_KEY: publicKey,
  ...(merchantPrivateKeyFile === null ? {} : { ANTOM_PRIVATE_KEY_FILE: merchantPrivateKeyFile }),
  ANTOM_REGION: 'ASIA',
  ANTOM_API_URL: url,
});

const tell = (
  sandbox: Sandbox,
  { options, keys, seed, shell }: Starting & { readonly options: SandboxOptions },
): void => {
  const { client, notifyUrl, json } = options;
  const environment = environmentOf(sandbox, options, keys);
  if (json === true) {
    printJson(shell, { url: sandbox.url, clientId: client, notifyUrl, seed, environment });
    return;
  }
  const { paint } = shell;
  shell.out(
    [
      `${paint('bold', `The sandbox is at ${sandbox.url}`)} until Ctrl-C. It sends to ${notifyUrl}; --seed ${seed}.`,
      paint('dim', '# paynotify, configured for it'),
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      paint('dim', '# a payment'),
      `curl -H 'Content-Type: application/json' -d '{"amount":{"currency":"JPY","value":"120"}}' ${sandbox.url}/control/payments`,
    ].join('\n'),
  );
};
