import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AmountText } from '../order/amount.ts';
import { ID_NAMES } from './compose.ts';
import { CommandError, UsageError } from './failure.ts';
import { AMOUNT_FORM, httpUrl, wholeNumber } from './options.ts';
import { configuredClients } from './in-force.ts';
import { readPrivateKey } from './private-key.ts';
import { SAMPLES } from './samples.ts';
import { findSeries, SERIES } from './series.ts';
import { outgoing, sendAll, type SendOptions } from './sending.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { table } from './table.ts';

const MANY = 100_000;
const SEEDS = 2 ** 32 - 1;
const MOST_CAPTURES = 100;
const FASTEST = 10_000_000;
const CONTENT = [...ID_NAMES, 'type', 'status', 'amount', 'resultCode'];
/** A series makes these itself. */
const OF_SERIES = CONTENT.filter((name) => !['paymentId', 'paymentRequestId', 'amount'].includes(name));

const amount = (text: string): AmountText => {
  const [, currency, value] = /^([A-Z]{3}):([0-9]{1,64})$/.exec(text) ?? [];
  if (currency === undefined || value === undefined) throw new InvalidArgumentError(AMOUNT_FORM);
  return { currency, value };
};

const series = (text: string): number | string => {
  if (findSeries(text) !== null) return text;
  if (/^\d/.test(text)) return wholeNumber(1, MOST_CAPTURES)(text);
  throw new InvalidArgumentError(
    `It must be a number of captures, or one of ${SERIES.map(({ name }) => name).join(', ')}.`,
  );
};

export const addSend: AddCommand = (program, shell) => {
  const command = program
    .command('send')
    .summary('sign a notification and post it, as APO does')
    .description(
      'Signs notifications with a private key and posts them, one after another. Without ids they are about a payment that is new each time. Exit code 1 if one is not acknowledged.',
    )
    .addOption(
      new Option('--url <url>', 'the notification URL')
        .argParser((text) => new URL(httpUrl(text)))
        .default(new URL('http://127.0.0.1:8080/payNotify'), 'http://127.0.0.1:8080/payNotify'),
    )
    .option('--key <file>', 'the private key to sign with: PEM or bare Base64, PKCS#8 or PKCS#1 (see keygen)')
    .option('--client <client-id>', 'the client-id; by default the one that is configured')
    .option('--key-version <version>', 'the keyVersion', '1');
  addContent(command)
    .option('--count <n>', 'so many different ones', wholeNumber(1, MANY), 1)
    .option('--duplicates <n>', 'each so many times more', wholeNumber(0, MANY), 0)
    .option('--shuffle', 'in random order')
    .option('--seed <n>', 'of that order', wholeNumber(0, SEEDS))
    .addOption(
      new Option(
        '--resend [faster]',
        'what is not acknowledged again, the same bytes, as APO does: at most 8 times within 24 h 22 min, or so many times faster',
      )
        .argParser(wholeNumber(1, FASTEST))
        .preset('1'),
    )
    .option('--break-signature', 'with signatures of something else')
    .option('--timeout <seconds>', 'how long to wait for each answer', wholeNumber(1, 3_600), 10)
    .option('--json', 'JSON')
    .action(async (options: SendOptions) => {
      if (options.listSamples === true) listSamples(options, shell);
      else await send(options, shell);
    });
};

/** What is sent. */
const addContent = (command: Command): Command =>
  command
    .option(
      '--type <type>',
      'PAYMENT_RESULT (the default), PAYMENT_PENDING, UPDATE_AMOUNT_RESULT, CAPTURE_RESULT, REFUND_RESULT, a type of dispute as DISPUTE_CREATED, or any other text',
    )
    .addOption(new Option('--status <status>', 'resultStatus: success, failure or not final').choices(['S', 'F', 'U']))
    .option('--result-code <code>', 'resultCode')
    .option('--amount <CUR:VALUE>', "in the currency's smallest unit, as JPY:120", amount)
    .option('--payment-id <id>', 'paymentId')
    .option('--payment-request-id <id>', 'paymentRequestId')
    .option('--capture-id <id>', 'captureId')
    .option('--capture-request-id <id>', 'captureRequestId')
    .option('--refund-id <id>', 'refundId')
    .option('--refund-request-id <id>', 'refundRequestId')
    .option('--dispute-id <id>', 'disputeId')
    .addOption(
      new Option('--sample <name>', 'a sample, with its own ids unless they are given')
        .choices(SAMPLES.map(({ name }) => name))
        .conflicts('type'),
    )
    .addOption(
      new Option(
        '--series [captures|name]',
        'a payment and so many partial captures of all of it (3), or a series by its name',
      )
        .argParser(series)
        .preset('3')
        .conflicts(['sample', ...OF_SERIES]),
    )
    .option('--list-samples', 'list the samples and the series')
    .addOption(new Option('--body <file>', 'these bytes, as they are').conflicts([...CONTENT, 'sample', 'series']));

const listSamples = ({ json }: SendOptions, shell: Shell): void => {
  if (json === true) {
    printJson(shell, { samples: SAMPLES, series: SERIES.map(({ name, about }) => ({ name, about })) });
    return;
  }
  const listed = (header: string, items: readonly { readonly name: string; readonly about: string }[]): string =>
    table(
      shell.paint,
      [header, 'WHAT IT IS'],
      items.map(({ name, about }) => [{ text: name, colour: 'bold' }, about]),
    );
  shell.out([listed('SAMPLE', SAMPLES), '', listed('SERIES', SERIES)].join('\n'));
};

const send = async (options: SendOptions, shell: Shell): Promise<void> => {
  if (options.key === undefined)
    throw new UsageError('--key is needed: the file of the private key to sign with (`paynotify keygen` makes one)');
  if (options.seed !== undefined && options.shuffle === undefined) throw new UsageError('--seed goes with --shuffle');
  const signer = {
    clientId: options.client ?? onlyConfiguredClient(configuredClients(shell.env)),
    key: await readPrivateKey(options.key),
    keyVersion: options.keyVersion,
    breaks: options.breakSignature === true,
  };
  await sendAll(await outgoing(options), { options, signer, shell });
};

const onlyConfiguredClient = (clients: readonly string[]): string => {
  const [client] = clients;
  if (client === undefined) throw new UsageError('--client is needed: no client is configured here');
  if (clients.length > 1)
    throw new CommandError(`several clients are configured: choose with --client ${clients.join(' or --client ')}`);
  return client;
};
