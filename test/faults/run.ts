import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endPrograms, removeDirectories } from '../support/receiver.ts';
import type { Campaign, Extent } from './campaign.ts';
import { CAMPAIGNS } from './campaigns.ts';
import { stopSharedServer } from './stores.ts';

// Many processes start here, twice as fast when what Node has compiled and stripped of its types is kept.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url));

export interface Run {
  /** The first seed; each round adds one. */
  readonly seed: number;
  readonly rounds: number;
  /** `whole` where absent. */
  readonly extent?: Extent;
  readonly say: (line: string) => void;
}

const PROGRESS_EVERY_MS = 10_000;

/** How a round is repeated that failed. */
export const repetitionOf = ({ name }: Campaign, seed: number): string =>
  `npm run test:faults -- ${name} --rounds 1 --seed ${seed}`;

/** Runs round after round, up to the first that fails; throws an Error that says what broke and how to repeat it. */
export const runRounds = async (campaign: Campaign, { seed, rounds, say, extent = 'whole' }: Run): Promise<void> => {
  const began = performance.now();
  const closing = (done: number, verdict: string): string => {
    const seconds = Math.round((performance.now() - began) / 1_000);
    return `${campaign.name}: ${done} of ${rounds} rounds, seeds ${seed} to ${seed + Math.max(done, 1) - 1}, ${seconds} s: ${verdict}`;
  };
  let said = began;
  for (let round = 0; round < rounds; round += 1) {
    try {
      await campaign.round(seed + round, extent);
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(
        `${what}\nrepeat it: ${repetitionOf(campaign, seed + round)}\n${closing(round + 1, 'the last one failed')}`,
        { cause: error },
      );
    }
    if (performance.now() - said < PROGRESS_EVERY_MS) continue;
    said = performance.now();
    say(`${campaign.name}: ${round + 1} of ${rounds} rounds`);
  }
  say(closing(rounds, 'nothing broke'));
};

/** A short run, as the tests have it; returns its last line. Throws as `runRounds` does. */
export const runShort = async (campaign: Campaign, seed = 1): Promise<string | undefined> => {
  const said: string[] = [];
  await runRounds(campaign, { seed, rounds: campaign.short, extent: 'part', say: (line) => void said.push(line) });
  return said.at(-1);
};

const USAGE = `npm run test:faults -- [name] [--rounds N] [--seed S] [--long]
  name       one of ${CAMPAIGNS.map(({ name }) => name).join(', ')}; all of them where absent
  --rounds   how many; a few where absent
  --long     as many as a long run has
  --seed     of the first round, 1 where absent; each round adds one`;

class UsageError extends Error {}

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} must be a whole number`);
  return Number(text);
};

const readArguments = (values: readonly string[]) => {
  try {
    return parseArgs({
      args: [...values],
      allowPositionals: true,
      options: { rounds: { type: 'string' }, seed: { type: 'string', default: '1' }, long: { type: 'boolean' } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** Returns the exit code. */
const run = async (values: readonly string[]): Promise<number> => {
  const { values: options, positionals } = readArguments(values);
  const unknown = positionals.filter((name) => CAMPAIGNS.every((campaign) => campaign.name !== name));
  if (unknown.length > 0) throw new UsageError(`there is no campaign ${unknown.join(', ')}`);
  const seed = wholeNumber('seed', options.seed);
  const chosen = CAMPAIGNS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  let code = 0;
  for (const campaign of chosen) {
    const standard = options.long === true ? campaign.long : campaign.short;
    const rounds = options.rounds === undefined ? standard : wholeNumber('rounds', options.rounds);
    try {
      await runRounds(campaign, { seed, rounds, say: (line) => process.stdout.write(`${line}\n`) });
    } catch (error) {
      process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
      code = 1;
    } finally {
      await endPrograms();
    }
  }
  await stopSharedServer();
  removeDirectories();
  return code;
};

/** Services are heads of groups of their own: an interruption of this process does not reach them by itself. */
const interrupt = async (): Promise<void> => {
  await endPrograms();
  await stopSharedServer();
  removeDirectories();
  process.exit(1);
};

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void interrupt());
  try {
    process.exitCode = await run(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    process.exitCode = 2;
  }
}
