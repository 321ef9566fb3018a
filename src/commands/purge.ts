import { Option } from 'commander';
import { UNVERIFIED_REASONS, type UnverifiedReason } from '../antom/signature.ts';
import type { Store, UnverifiedMeasure } from '../store/store.ts';
import { CommandError, UsageError } from './failure.ts';
import { wholeNumber } from './options.ts';
import { counted, utc } from './readable.ts';
import { printJson, type Shell } from './shell.ts';

/** The options of `unverified --purge`. */
export interface PurgeOptions {
  readonly purge?: UnverifiedReason;
  readonly olderThan?: number;
  readonly signed?: true;
  readonly yes?: true;
}

const MOST_DAYS = 36_500;
const DAY_MS = 86_400_000;

export const purgeOptions = (): readonly Option[] => [
  new Option('--purge <reason>', 'remove those with this reason: says first what it would remove, and asks')
    .choices(UNVERIFIED_REASONS)
    .conflicts(['reason', 'cursor', 'raw']),
  new Option('--older-than <days>', 'with --purge: only those not received for so many days').argParser(
    wholeNumber(0, MOST_DAYS),
  ),
  new Option('--signed', 'with --purge: also those that a configured key signed, which may be payments'),
  new Option('--yes', 'with --purge: do not ask'),
];

/** Throws a UsageError where an option of --purge stands without it. */
export const checkPurgeOptions = ({ purge, olderThan, signed, yes }: PurgeOptions): void => {
  if (purge === undefined && [olderThan, signed, yes].some((option) => option !== undefined))
    throw new UsageError('--older-than, --signed and --yes go with --purge');
};

interface Purging {
  readonly reason: UnverifiedReason;
  readonly options: PurgeOptions & { readonly json?: true };
  readonly shell: Shell;
}

/** Says what it would remove, and removes it once that is confirmed. */
export const purge = async (store: Store, { reason, options, shell }: Purging): Promise<void> => {
  const { olderThan, signed = false, yes, json } = options;
  const before = olderThan === undefined ? null : new Date(Date.now() - olderThan * DAY_MS);
  const bounds = { before, signed };
  const found = await store.measureUnverified(reason, bounds);
  const kept = (await store.measureUnverified(reason, { before, signed: true })).count - found.count;
  const tell = json === true ? shell.err : shell.out;
  tell(sentenceOf(reason, found));
  if (kept > 0)
    tell(
      `${counted(kept, 'more request')} with a signature that a configured key made may be payments: left alone; correct the path or the proxy first (--signed removes them as well).`,
    );
  if (found.count > 0 && yes !== true) await confirm(found, shell);
  const purged = found.count === 0 ? 0 : await store.purgeUnverified(reason, bounds);
  if (json === true) printJson(shell, { reason, purged });
  else if (found.count > 0) shell.out(`Removed ${counted(purged, 'request')} with ${reason}.`);
};

const sentenceOf = (reason: UnverifiedReason, { count, bytes, oldest, newest }: UnverifiedMeasure): string =>
  oldest === null || newest === null
    ? `No request with ${reason} to remove.`
    : `${counted(count, 'request')} with ${reason} to remove: ${counted(bytes, 'byte')}, first received ${utc(oldest)}, last ${utc(newest)} (UTC).`;

const confirm = async ({ count }: UnverifiedMeasure, { ask }: Shell): Promise<void> => {
  if (ask === null) throw new UsageError('--yes is needed to remove them: there is no terminal to ask on');
  const answer = await ask(`Remove ${count === 1 ? 'it' : `these ${count}`} for good? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('nothing was removed');
};
