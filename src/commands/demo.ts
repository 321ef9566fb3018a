import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKeyPair } from '../antom/key-pair.ts';
import type { Order } from '../order/order.ts';
import { playDay } from './demo-day.ts';
import { type DemoService, startService } from './demo-service.ts';
import { type Step, STORY } from './demo-story.ts';
import { CommandError, UsageError } from './failure.ts';
import { wholeNumber } from './options.ts';
import { isAcknowledged, post, type Posted, resultCodeOf, say, type Signer, signPost } from './post.ts';
import { attentionCell, fulfillableCell, nextActionCell, statusCell, textCell } from './readable.ts';
import { textOf } from './samples.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { aborted, untilSignalled } from './signals.ts';
import { printable, type Row, table } from './table.ts';

interface DemoOptions {
  readonly full?: true;
  readonly payments?: number;
  readonly exit?: true;
  readonly json?: true;
}

const PAYMENTS = 200;

export const addDemo: AddCommand = (program, shell) => {
  program
    .command('demo')
    .summary('see signed notifications turn into order statuses')
    .description(
      'Runs the service on a throw-away key and database, sends it really signed notifications over HTTP, says what a shop says, shows what became of the orders, and stays up. Exit code 1 if anything is not as it should be.',
    )
    .option('--exit', 'end it after the table')
    .option('--full', "play a shop's day against the sandbox instead, 3,600 times as fast; then it ends")
    .option('--payments <n>', `in that day (default: ${PAYMENTS})`, wholeNumber(1, 10_000))
    .option('--json', 'JSON')
    .action(async (options: DemoOptions) => {
      const { full, payments, json } = options;
      if (payments !== undefined && full !== true) throw new UsageError('--payments goes with --full');
      const signal = untilSignalled();
      const directory = await mkdtemp(join(tmpdir(), 'paynotify-demo-'));
      try {
        if (full === true)
          await playDay({ payments: payments ?? PAYMENTS, directory, shell, signal, json: json === true });
        else await demonstrate(directory, { options, shell, signal });
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
};

interface Demo {
  readonly options: DemoOptions;
  readonly shell: Shell;
  readonly signal: AbortSignal;
}

const CLIENT = 'DEMO_CLIENT';
const BITS = 2_048;

const demonstrate = async (directory: string, { options, shell, signal }: Demo): Promise<void> => {
  const { privateKey, publicKey } = await makeKeyPair(BITS);
  const keyFile = join(directory, 'apo-private-key.pem');
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  const service = await startService({ directory, clientId: CLIENT, publicKey, env: shell.env });
  try {
    const scenes = await play(service, {
      signers: { APO: signerOf(privateKey), 'a forger': signerOf((await makeKeyPair(BITS)).privateKey) },
      signal,
    });
    if (signal.aborted) return;
    if (scenes.some(({ asExpected }) => !asExpected)) shell.foundWrong();
    if (options.json === true) printJson(shell, toJson(scenes, service, keyFile));
    else shell.out(storyTable(scenes, shell));
    if (options.exit !== true)
      await stayUp(service, { directory, keyFile, shell, signal, quiet: options.json === true });
  } finally {
    const code = await service.stop();
    if (code !== 0) shell.foundWrong();
  }
};

const signerOf = (privateKey: string): Signer => ({
  clientId: CLIENT,
  key: createPrivateKey(privateKey),
  keyVersion: '1',
  breaks: false,
});

interface Scene {
  readonly step: Step;
  readonly posted: Posted;
  readonly order: Order | null;
  readonly asExpected: boolean;
}

const TIMEOUT_MS = 10_000;

type Signers = Readonly<Record<'APO' | 'a forger', Signer>>;

const play = async (
  service: DemoService,
  { signers, signal }: { readonly signers: Signers; readonly signal: AbortSignal },
): Promise<readonly Scene[]> => {
  const scenes: Scene[] = [];
  for (const step of STORY) {
    if (signal.aborted) break;
    const posted = await perform(step, service, signers);
    const order = await readOrder(service.adminUrl, orderIdOf(step));
    const isTaken = step.act.by === 'the shop' ? hasSucceeded(posted) : isAcknowledged(posted);
    scenes.push({ step, posted, order, asExpected: isTaken && saysWhatItShould(order, step) });
  }
  return scenes;
};

const perform = async ({ act, order }: Step, service: DemoService, signers: Signers): Promise<Posted> => {
  if (act.by === 'the shop') {
    const { method, said } = act;
    return await say(new URL(`/api/orders/${order}`, service.adminUrl), { method, body: JSON.stringify(said) });
  }
  const body = Buffer.from(JSON.stringify(act.notification));
  return await post(signPost(service.notifyUrl, body, signers[act.by]), TIMEOUT_MS);
};

/** A notification tells its payment; what the shop says is about a paymentRequestId. */
const orderIdOf = ({ act, order }: Step): string =>
  act.by === 'the shop' ? order : textOf(act.notification, 'paymentId');

const hasSucceeded = ({ answer }: Posted): boolean => answer !== null && answer.status >= 200 && answer.status < 300;

const readOrder = async (adminUrl: URL, id: string): Promise<Order | null> => {
  const response = await fetch(new URL(`/api/orders/${id}`, adminUrl));
  const json: unknown = await response.json();
  return response.ok ? (json as Order) : null;
};

const saysWhatItShould = (order: Order | null, { expected }: Step): boolean =>
  order !== null &&
  order.status === expected.status &&
  order.fulfillable === expected.fulfillable &&
  order.nextAction === expected.nextAction &&
  order.attention.map(({ code }) => code).join(' ') === expected.attention.join(' ');

const toJson = (scenes: readonly Scene[], { notifyUrl, adminUrl }: DemoService, keyFile: string) => ({
  notifyUrl,
  adminUrl,
  clientId: CLIENT,
  privateKeyFile: keyFile,
  items: scenes.map(({ step: { what, act }, posted, order, asExpected }) => ({
    what,
    ...act,
    ...posted,
    order,
    asExpected,
  })),
});

const HEADER = ['', 'ORDER', 'SENT', 'ITS ORDER NOW', 'FULFILLABLE', 'NEXT ACTION', 'ATTENTION'];

/** At most 120 columns and 24 lines: it fits a screen. */
const storyTable = (scenes: readonly Scene[], { paint }: Shell): string => {
  const rows = scenes.map(({ step, order, asExpected }, index): Row => [
    asExpected ? { text: String(index + 1), colour: 'dim' } : { text: `${index + 1}!`, colour: 'red' },
    { text: step.order, colour: 'bold' },
    step.what,
    ...(order === null
      ? [textCell(null)]
      : [
          statusCell(order.status),
          fulfillableCell(order.fulfillable),
          nextActionCell(order.nextAction),
          attentionCell(order.attention),
        ]),
  ]);
  return [table(paint, HEADER, rows), '', ...verdict(scenes, paint)].join('\n');
};

const verdict = (scenes: readonly Scene[], paint: Shell['paint']): readonly string[] => {
  const wrong = scenes.flatMap(({ asExpected, posted }, index) =>
    asExpected ? [] : [paint('red', `${index + 1}! is not as it should be. The answer: ${answerOf(posted)}`)],
  );
  return wrong.length > 0
    ? wrong
    : ['Every answer and every order is as it should be. The forgery is kept apart, and touched nothing.'];
};

const answerOf = ({ answer, problem }: Posted): string =>
  printable(answer === null ? problem : `${answer.status} ${resultCodeOf(answer.body) ?? ''}`.trim());

interface Staying {
  readonly directory: string;
  readonly keyFile: string;
  readonly shell: Shell;
  readonly signal: AbortSignal;
  readonly quiet: boolean;
}

const stayUp = async (service: DemoService, { directory, keyFile, shell, signal, quiet }: Staying): Promise<void> => {
  if (!quiet) shell.out(whatToTry(service, { directory, keyFile, paint: shell.paint }));
  const endedByItself = await Promise.race([aborted(signal).then(() => false), service.exited.then(() => true)]);
  if (endedByItself) throw new CommandError(`the service has ended by itself:\n${service.lastWords()}`);
};

const whatToTry = (
  { notifyUrl, adminUrl }: DemoService,
  { directory, keyFile, paint }: Pick<Staying, 'directory' | 'keyFile'> & Pick<Shell, 'paint'>,
): string => {
  const send = `npm run paynotify -- send --url ${notifyUrl.href} --key ${keyFile} --client ${CLIENT}`;
  const database = `DATABASE_URL=sqlite:${join(directory, 'demo.db')} npm run paynotify --`;
  return [
    `\n${paint('bold', 'The service stays up until Ctrl-C.')} Try, in another terminal:\n`,
    paint('dim', '# what it knows'),
    `curl ${new URL('/api/orders', adminUrl).href}`,
    `curl ${new URL('/api/orders/parts', adminUrl).href}`,
    `curl ${new URL('/api/unverified', adminUrl).href}`,
    `${database} orders`,
    paint(
      'dim',
      '# a payment; one with its captures, out of order and twice; one that is refunded; a forgery; all samples',
    ),
    send,
    `${send} --series --shuffle --duplicates 1`,
    `${send} --series refund`,
    `${send} --break-signature`,
    `${send} --list-samples`,
    paint('dim', '# what a shop expects, before its payment is there'),
    `curl -X PUT -H 'Content-Type: application/json' -d '{"amount":{"currency":"JPY","value":"120"}}' ${new URL('/api/orders/my-order-1', adminUrl).href}`,
    `${send} --payment-request-id my-order-1 --amount JPY:120`,
  ].join('\n');
};
