import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AmountText } from '../order/amount.ts';
import type { JsonObject, ResultStatus } from '../order/statement.ts';
import { baseOf, compose, composeSeries, freshIds, shuffled } from './compose.ts';
import { codeOf, CommandError, reasonOf, UsageError } from './failure.ts';
import { isAcknowledged, post, type Posted, resultCodeOf, type SignedPost, type Signer, signPost } from './post.ts';
import { findSample, textOf } from './samples.ts';
import { amountCell, textCell } from './readable.ts';
import { printJson, type Shell } from './shell.ts';
import { alignedLines, printable, printableLines, type Row } from './table.ts';

export interface SendOptions {
  readonly url: URL;
  readonly key?: string;
  readonly client?: string;
  readonly keyVersion: string;
  readonly type?: string;
  readonly status?: ResultStatus;
  readonly amount?: AmountText;
  readonly paymentId?: string;
  readonly paymentRequestId?: string;
  readonly captureId?: string;
  readonly captureRequestId?: string;
  readonly resultCode?: string;
  readonly sample?: string;
  readonly body?: string;
  readonly series?: number;
  readonly count: number;
  readonly duplicates: number;
  readonly shuffle?: true;
  readonly seed?: number;
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
  if (options.body !== undefined) return [{ notification: null, body: await readBytes(options.body) }];
  const composed = Array.from({ length: options.count }, () => composeOne(options)).flat();
  const bodies = composed.map((notification) => ({ notification, body: Buffer.from(JSON.stringify(notification)) }));
  if (new Set(bodies.map(({ body }) => body.toString())).size < bodies.length) {
    throw new UsageError(
      '--count asks for different notifications, and these ids make them the same: leave one out, or use --duplicates',
    );
  }
  return bodies;
};

const DEFAULT_AMOUNT: AmountText = { currency: 'GBP', value: '1523' };

const composeOne = (options: SendOptions): readonly JsonObject[] => {
  const { amount, status, resultCode, paymentId, paymentRequestId, captureId, captureRequestId } = options;
  const changes = {
    amount,
    status,
    resultCode,
    ...defined({ paymentId, paymentRequestId, captureId, captureRequestId }),
  };
  if (options.series !== undefined)
    return composeSeries({ ...changes, amount: amount ?? DEFAULT_AMOUNT, time: new Date() }, options.series);
  const sample = options.sample === undefined ? null : findSample(options.sample);
  if (sample !== null && options.count === 1) return [compose(sample.notification, changes)];
  const base = sample?.notification ?? baseOf(options.type ?? 'PAYMENT_RESULT');
  return [compose(base, { ...freshIds(base), time: new Date(), ...changes })];
};

const defined = (ids: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(ids).flatMap(([name, id]) => (id === undefined ? [] : [[name, id]])));

const readBytes = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${codeOf(error) ?? reasonOf(error)}`);
  }
};

interface Sending {
  readonly options: SendOptions;
  readonly signer: Signer;
  readonly shell: Shell;
}

interface Sent extends Outgoing {
  readonly signed: SignedPost;
  readonly posted: Posted;
}

const SEEDS = 2 ** 32;
const SECOND = 1_000;

/** Sends them one after another and prints each with its answer. */
export const sendAll = async (
  notifications: readonly Outgoing[],
  { options, signer, shell }: Sending,
): Promise<void> => {
  const { url, duplicates, shuffle, timeout } = options;
  const repeated = notifications.flatMap((one) => Array.from({ length: duplicates + 1 }, () => one));
  const seed = shuffle === true ? (options.seed ?? randomInt(SEEDS)) : null;
  const inTurn = seed === null ? repeated : shuffled(repeated, seed);
  const { announce, tell, end } =
    options.json === true ? jsonTeller(shell, { url, clientId: signer.clientId, seed }) : teller(shell, inTurn);
  if (seed !== null && options.seed === undefined && options.json === undefined)
    shell.err(`Shuffled with --seed ${seed}.`);
  announce();
  for (const [index, one] of inTurn.entries()) {
    const signed = signPost(url, one.body, signer);
    const posted = await post(signed, timeout * SECOND);
    if (posted.problem !== null && index === 0)
      throw new CommandError(`${url.href} gives no answer: ${posted.problem}`);
    if (!isAsExpected(posted, signer)) shell.foundWrong();
    tell({ ...one, signed, posted }, index);
  }
  end();
};

/** A broken signature may be refused: UNVERIFIED_REPLY decides. */
const isAsExpected = (posted: Posted, { breaks }: Signer): boolean =>
  isAcknowledged(posted) || (breaks && posted.answer?.status === 401);

interface Teller {
  readonly announce: () => void;
  readonly tell: (sent: Sent, index: number) => void;
  readonly end: () => void;
}

const jsonTeller = (shell: Shell, about: Readonly<Record<string, unknown>>): Teller => {
  const items: unknown[] = [];
  let acknowledged = 0;
  return {
    announce: () => undefined,
    tell: ({ signed, posted }) => {
      if (isAcknowledged(posted)) acknowledged += 1;
      items.push({ headers: signed.headers, body: signed.body.toString('utf8'), ...posted });
    },
    end: () => printJson(shell, { ...about, sent: items.length, acknowledged, items }),
  };
};

/** One notification is shown whole; several one a line. */
const teller = (shell: Shell, notifications: readonly Outgoing[]): Teller => {
  if (notifications.length === 1)
    return { announce: () => undefined, tell: (sent) => shell.out(wholeStory(shell, sent)), end: () => undefined };
  const [header = '', ...lines] = alignedLines(
    shell.paint,
    ['TYPE', 'PAYMENT ID', 'CAPTURE ID', 'AMOUNT', 'RESULT'],
    notifications.map(rowOf),
  );
  let acknowledged = 0;
  return {
    announce: () => shell.out(`${header}  ${shell.paint('dim', 'ANSWER')}`),
    tell: ({ posted }, index) => {
      if (isAcknowledged(posted)) acknowledged += 1;
      shell.out(`${lines[index] ?? ''}  ${answerText(shell, posted)}`);
    },
    end: () => shell.out(`\n${acknowledged} of ${notifications.length} acknowledged.`),
  };
};

const rowOf = ({ notification }: Outgoing): Row => {
  const fields = notification ?? {};
  const result = (fields['result'] ?? {}) as JsonObject;
  return [
    textCell(textOf(fields, 'notifyType')),
    textCell(textOf(fields, 'paymentId')),
    textCell(textOf(fields, 'captureId')),
    amountCell((fields['captureAmount'] ?? fields['paymentAmount'] ?? null) as AmountText | null),
    `${textOf(result, 'resultStatus')} ${textOf(result, 'resultCode')}`,
  ];
};

const answerText = ({ paint }: Shell, posted: Posted): string => {
  if (posted.answer === null) return paint('red', printable(posted.problem));
  const { status, body, milliseconds } = posted.answer;
  const words = printable([status, resultCodeOf(body) ?? ''].join(' ').trim());
  return `${paint(isAcknowledged(posted) ? 'green' : 'red', words)} ${paint('dim', `${milliseconds} ms`)}`;
};

const wholeStory = ({ paint }: Shell, { signed, posted }: Sent): string => {
  const { url, headers, body } = signed;
  const lines = [
    paint('bold', `POST ${url.href}`),
    ...Object.entries(headers).map(([name, value]) => `${paint('dim', `${name}:`)} ${printable(value)}`),
    '',
    printableLines(body.toString('utf8')),
    '',
    answerWhole({ paint }, posted),
  ];
  return lines.join('\n');
};

const answerWhole = ({ paint }: Pick<Shell, 'paint'>, posted: Posted): string => {
  if (posted.answer === null) return paint('red', printable(posted.problem));
  const { status, body, milliseconds } = posted.answer;
  return `${paint(isAcknowledged(posted) ? 'green' : 'red', String(status))} ${paint('dim', `in ${milliseconds} ms`)}\n${printableLines(body)}`;
};
