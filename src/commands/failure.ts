import { CommanderError } from 'commander';
import { ConfigError, EXIT_CONFIG } from '../environment.ts';
import { InvalidCursorError, StoreUnusableError } from '../store/errors.ts';
import { reasonOf } from './reason.ts';

export { reasonOf } from './reason.ts';

export const EXIT_FINE = 0;
export const EXIT_WRONG = 1;
/** `sysexits.h`: EX_USAGE. */
const EXIT_USAGE = 64;

/** A command cannot do what it was asked; the message is one sentence for the person who asked. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Says what went wrong, without a stack trace, and gives the exit code. */
export const report = (error: unknown, { err }: { readonly err: (line: string) => void }): number => {
  // Commander has said what there was to say; help that was asked for is fine.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_FINE : EXIT_USAGE;
  if (error instanceof ConfigError) {
    for (const problem of error.problems) err(problem);
    return EXIT_CONFIG;
  }
  if (error instanceof InvalidCursorError) {
    err('error: --cursor is not the `next` of an earlier page of this list');
    return EXIT_USAGE;
  }
  err(`error: ${reasonOf(error)}`);
  if (error instanceof StoreUnusableError) return EXIT_CONFIG;
  return error instanceof UsageError ? EXIT_USAGE : EXIT_WRONG;
};
