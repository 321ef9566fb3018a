import { randomInt } from 'node:crypto';
import type { AmountText } from '../order/amount.ts';
import type { JsonObject, ResultStatus } from '../order/statement.ts';
import { amountIn, baseOf, compose, composeNew, ID_NAMES, type Ids, shuffled, typeOf } from './compose.ts';
import { CommandError, UsageError } from './failure.ts';
import { readGivenFile } from './given-file.ts';
import { isAcknowledged, post, type Posted, resultCodeOf, type SignedPost, type Signer, signPost } from './post.ts';
import { postUntilAcknowledged } from './resend.ts';
import { findSample, textOf } from './samples.ts';
import { findSeries, inCaptures } from './series.ts';
import { amountCell, textCell } from './readable.ts';
import { printJson, type Shell } from './shell.ts';
import { alignedLines, printable, printableLines, type Row } from './table.ts';

export interface SendOptions extends Ids {
  readonly url: URL;
  readonly key?: string;
  readonly client?: string;
  readonly keyVersion: string;
  readonly type?: string;
  readonly status?: ResultStatus;
  readonly amount?: AmountText;
  readonly resultCode?: string;
  readonly sample?: string;
  readonly body?: string;
  /** So many captures, or a series' name. */
  readonly series?: number | string;
  readonly count: number;
  readonly duplicates: number;
  readonly shuffle?: true;
  readonly seed?: number;
  /** So many times faster than APO. */
  readonly resend?: number;
  readonly breakSignature?: true;
  readonly timeout: number;
  readonly listSamples?: true;
  readonly json?: true;
}

export interface Outgoing {
  readonly notification: JsonObject | null;
  readonly body: Buffer;
}

/** The notifications that the options ask for, each once and in their own order. */
export const outgoing = async (options: SendOptions): Promise<readonly Outgoing[]> => {
  if (options.body !== undefined) return [{ notification: null, body: await readGivenFile(options.body) }];
  const composed = Array.from({ length: options.count }, () => composeOne(options)).flat();
  const bodies = composed.map((notification) => ({ notification, body: Buffer.from(JSON.stringify(notification)) }));
  if (new Set(bodies.map(({ body }) => body.toString())).size < bodies.length) {
    throw new UsageError(
      '--count asks for different notifications, and these ids make them the same: leave one out, or use --duplicates',
    );
  }
  return bodies;
};

const composeOne = (options: SendOptions): readonly JsonObject[] => {
  const { amount, status, resultCode, series } = options;
  const ids = givenIds(options);
  const now = { ...ids, amount, time: new Date() };
  if (typeof series === 'number') return inCaptures(now, series);
  if (series !== undefined) return findSeries(series)?.compose(now) ?? [];
  const sample = options.sample === undefined ? null : findSample(options.sample);
  const base = sample?.notification ?? baseOf(options.type ?? 'PAYMENT_RESULT');
  if (!('result' in base) && (status !== undefined || resultCode !== undefined))
    throw new UsageError('a dispute has no result: its --type says what became of it');
  const changes = { ...ids, amount, status, resultCode };
  // A sample is sent as it is, unless several different ones are asked for.
  if (sample !== null && options.count === 1) return [compose(base, changes)];
  return [composeNew(base, changes)];
};

const givenIds = (options: SendOptions): Ids =>
  Object.fromEntries(ID_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));

interface Sending {
  readonly options: SendOptions;
  readonly signer: Signer;
  readonly shell: Shell;
}

interface Sent extends Outgoing {
  readonly signed: SignedPost;
  /** How often it was sent. */
  readonly sends: number;
  /** What came of the last one. */
  readonly posted: Posted;
}

const SEEDS = 2 ** 32;
const SECOND = 1_000;

/** Sends them one after another and prints each with its answer. */
export const sendAll = async (
  notifications: readonly Outgoing[],
  { options, signer, shell }: Sending,
): Promise<void> => {
  const { url, duplicates, shuffle } = options;
  const repeated = notifications.flatMap((one) => Array.from({ length: duplicates + 1 }, () => one));
  const seed = shuffle === true ? (options.seed ?? randomInt(SEEDS)) : null;
  const inTurn = seed === null ? repeated : shuffled(repeated, seed);
  const { announce, tell, end } =
    options.json === true ? jsonTeller(shell, { url, clientId: signer.clientId, seed }) : teller(shell, inTurn);
  if (seed !== null && options.seed === undefined && options.json === undefined)
    shell.err(`Shuffled with --seed ${seed}.`);
  announce();
  let acknowledged = 0;
  for (const [index, one] of inTurn.entries()) {
    const signed = signPost(url, one.body, signer);
    const { sends, posted } = await sendOne(signed, options);
    if (posted.problem !== null && index === 0)
      throw new CommandError(`${url.href} gives no answer: ${posted.problem}`);
    if (isAcknowledged(posted)) acknowledged += 1;
    if (!isAsExpected(posted, signer)) shell.foundWrong();
    tell({ ...one, signed, sends, posted }, index);
  }
  end(acknowledged);
};

const sendOne = async (
  signed: SignedPost,
  { timeout, resend }: SendOptions,
): Promise<Pick<Sent, 'sends' | 'posted'>> => {
  const timeoutMs = timeout * SECOND;
  if (resend === undefined) return { sends: 1, posted: await post(signed, timeoutMs) };
  const sends = await postUntilAcknowledged(signed, { timeoutMs, faster: resend });
  return { sends: sends.length, posted: sends.at(-1) ?? sends[0] };
};

/** A broken signature may be refused: UNVERIFIED_REPLY decides. */
const isAsExpected = (posted: Posted, { breaks }: Signer): boolean =>
  isAcknowledged(posted) || (breaks && posted.answer?.status === 401);

interface Teller {
  readonly announce: () => void;
  readonly tell: (sent: Sent, index: number) => void;
  readonly end: (acknowledged: number) => void;
}

const jsonTeller = (shell: Shell, about: Readonly<Record<string, unknown>>): Teller => {
  const items: unknown[] = [];
  return {
    announce: () => undefined,
    tell: ({ signed, sends, posted }) => {
      items.push({ headers: signed.headers, body: signed.body.toString('utf8'), sends, ...posted });
    },
    end: (acknowledged) => printJson(shell, { ...about, sent: items.length, acknowledged, items }),
  };
};

/** One notification is shown whole; several one a line. */
const teller = (shell: Shell, notifications: readonly Outgoing[]): Teller => {
  if (notifications.length === 1)
    return { announce: () => undefined, tell: (sent) => shell.out(wholeStory(shell, sent)), end: () => undefined };
  const [header = '', ...lines] = alignedLines(
    shell.paint,
    ['TYPE', 'PAYMENT ID', 'OWN ID', 'AMOUNT', 'RESULT'],
    notifications.map(rowOf),
  );
  return {
    announce: () => shell.out(`${header}  ${shell.paint('dim', 'ANSWER')}`),
    tell: ({ sends, posted }, index) =>
      shell.out(`${lines[index] ?? ''}  ${answerText(shell, posted)}${sendsText(sends)}`),
    end: (acknowledged) => shell.out(`\n${acknowledged} of ${notifications.length} acknowledged.`),
  };
};

const OWN_IDS = ['captureId', 'refundId', 'disputeId'] as const;

const rowOf = ({ notification }: Outgoing): Row => {
  const fields = notification ?? {};
  const ownId = OWN_IDS.map((name) => textOf(fields, name)).find((id) => id !== '');
  return [
    textCell(typeOf(fields)),
    textCell(textOf(fields, 'paymentId')),
    textCell(ownId),
    amountCell(amountIn(fields)),
    textCell(outcomeOf(fields)),
  ];
};

/** The result; of a dispute the judgement, where there is one. */
const outcomeOf = (fields: JsonObject): string => {
  const result = (fields['result'] ?? {}) as JsonObject;
  const words = [textOf(result, 'resultStatus'), textOf(result, 'resultCode')].join(' ').trim();
  return words === '' ? textOf(fields, 'disputeJudgedResult') : words;
};

const answerText = ({ paint }: Shell, posted: Posted): string => {
  if (posted.answer === null) return paint('red', printable(posted.problem));
  const { status, body, milliseconds } = posted.answer;
  const words = printable([status, resultCodeOf(body) ?? ''].join(' ').trim());
  return `${paint(isAcknowledged(posted) ? 'green' : 'red', words)} ${paint('dim', `${milliseconds} ms`)}`;
};

const sendsText = (sends: number): string => (sends === 1 ? '' : `, after ${sends} sends`);

const wholeStory = ({ paint }: Shell, { signed, sends, posted }: Sent): string => {
  const { url, headers, body } = signed;
  const lines = [
    paint('bold', `POST ${url.href}`),
    ...Object.entries(headers).map(([name, value]) => `${paint('dim', `${name}:`)} ${printable(value)}`),
    '',
    printableLines(body.toString('utf8')),
    '',
    answerWhole({ paint }, { sends, posted }),
  ];
  return lines.join('\n');
};

const answerWhole = ({ paint }: Pick<Shell, 'paint'>, { sends, posted }: Pick<Sent, 'sends' | 'posted'>): string => {
  if (posted.answer === null) return paint('red', printable(posted.problem));
  const { status, body, milliseconds } = posted.answer;
  return `${paint(isAcknowledged(posted) ? 'green' : 'red', String(status))} ${paint('dim', `in ${milliseconds} ms${sendsText(sends)}`)}\n${printableLines(body)}`;
};
