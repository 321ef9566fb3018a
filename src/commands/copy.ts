import { ConfigError, type Environment, readStoreConfig, type StoreConfig } from '../config.ts';
import { openSource, openStore } from '../store/open.ts';
import { COPIED, type Store, StoreUnavailableError, StoreUnusableError } from '../store/store.ts';
import { copyStore, type CopyReport, nameOf } from '../upkeep/copy.ts';
import { UsageError } from './failure.ts';
import { jsonOption } from './options.ts';
import { createProgressBar } from './progress.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { table } from './table.ts';

interface CopyCommandOptions {
  readonly from: string;
  readonly to?: string;
  readonly merge?: true;
  readonly json?: true;
}

const HELP = `
The source is only read. The target must be empty, or hold an earlier part of this same copy: one that was
interrupted goes on where it was, one that has ended begins again and picks up what came since. At the end both
sides are read back and compared, by count and by digest; exit code 1 if they differ.

Stop the service first, or point it at the target once a first copy has ended there. If it goes on writing to the
source, the two differ in what came meanwhile: stop it, or point it at the target, and run the same again. When a
service is on the target already, the target may hold more than the source, and the copy makes sure that it lacks
nothing. Do not point a service at a target that no copy has reached the end of: orders would lack what is to come.

With --merge the target may hold anything. All of the source is added to it, as after a restore: what both hold keeps its
earliest and latest receipt and the greater count, what the target has applied stays as it was read there, and of two
registrations the younger stands and the other stays on record.

Orders are derived at the target, by the rules of the service on the source; with --merge by those of the target.
Their positions in the feed (after=) are new: whoever follows it begins again at 0. A password is better given as PGPASSWORD than in a URL that others can see.`;

export const addCopy: AddCommand = (program, shell) => {
  program
    .command('copy')
    .summary('copy everything to another database, resumable and verified')
    .description(
      'Copies everything that is stored from one database to another, from SQLite to PostgreSQL or in any other direction.',
    )
    .requiredOption('--from <url>', 'the database to copy: sqlite:FILE or postgres://…')
    .option('--to <url>', 'the database to copy into: sqlite:FILE or postgres://…; with --merge, else DATABASE_URL')
    .option('--merge', 'add to a database that holds its own, also while the service runs on it')
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (options: CopyCommandOptions) => {
      const report = await copy(options, shell);
      if (!report.complete) shell.foundWrong();
      if (options.json === true) printJson(shell, report);
      else printReport(report, shell);
    });
};

const copy = async ({ from, to, merge, json }: CopyCommandOptions, shell: Shell): Promise<CopyReport> => {
  if (to === undefined && merge !== true) throw new UsageError('--to is missing: the database to copy into');
  const source = await naming('--from', async () => await openSource(configOf(shell.env, '--from', from)));
  try {
    const config = to === undefined ? readStoreConfig(shell.env) : configOf(shell.env, '--to', to);
    const target =
      to === undefined ? await openStore(config) : await naming('--to', async () => await openStore(config));
    const bar = createProgressBar(shell);
    try {
      return await copyStore({
        source,
        target,
        merge: merge === true,
        ...(json === true
          ? {}
          : { onProgress: ({ step, what, done, total }) => bar.show({ text: `${step} ${what}`, done, total }) }),
      });
    } finally {
      if (json !== true) bar.end();
      await target.close();
    }
  } finally {
    await source.close();
  }
};

type Option = '--from' | '--to';

/** Opens the database of an option: a failure names that instead of the variable. */
const naming = async (option: Option, open: () => Promise<Store>): Promise<Store> => {
  try {
    return await open();
  } catch (error) {
    if (error instanceof StoreUnusableError) throw new StoreUnusableError(named(error.message, option));
    throw error instanceof StoreUnavailableError ? new StoreUnavailableError(named(error.message, option)) : error;
  }
};

const named = (message: string, option: Option): string => message.replace(/^DATABASE_URL/, option);

/** The configuration with another database. Throws a UsageError where the URL is none. */
const configOf = (env: Environment, option: Option, url: string): StoreConfig => {
  try {
    return readStoreConfig({ ...env, DATABASE_URL: url, DATABASE_URL_FILE: undefined });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problem = error.problems.find((text) => text.startsWith('DATABASE_URL: '));
    throw problem === undefined ? error : new UsageError(named(problem, option));
  }
};

const DIGITS_SHOWN = 16;

const printReport = (
  { source, target, resumed, inUse, copied, complete }: CopyReport,
  { out, err, paint }: Shell,
): void => {
  out(`${resumed ? 'Went on to copy' : 'Copied'} ${source} to ${target}.\n`);
  const rows = COPIED.map((what) => {
    const { source: from, target: to, equal } = copied[what];
    const colour = equal ? ('green' as const) : ('yellow' as const);
    const verdict = equal
      ? from.digest.slice(0, DIGITS_SHOWN)
      : `${from.digest.slice(0, DIGITS_SHOWN)} ≠ ${to.digest.slice(0, DIGITS_SHOWN)}`;
    return [nameOf(what), String(from.count), String(to.count), { text: verdict, colour }];
  });
  out(table(paint, ['', 'SOURCE', 'TARGET', 'DIGEST'], rows));
  const verdict = sentenceOf({ inUse, copied, complete });
  if (complete) out(`\n${verdict}`);
  else err(`error: ${verdict}`);
};

const sentenceOf = ({ inUse, copied, complete }: Pick<CopyReport, 'inUse' | 'copied' | 'complete'>): string => {
  const differing = COPIED.filter((what) => !copied[what].equal)
    .map(nameOf)
    .join(', ');
  if (inUse && complete)
    return `All of the source is in the target${differing === '' ? '' : `, which also holds its own (${differing})`}.`;
  if (complete) return 'Both hold the same.';
  if (inUse)
    return 'the target still lacks some of the source: if a service writes to the source, stop it, and run the same again.';
  return `source and target differ in ${differing}: if a service writes to one of them, stop it, and run the same again.`;
};
