#!/usr/bin/env node
import { Command } from 'commander';
import { EXIT_FINE, EXIT_WRONG, report } from './commands/failure.ts';
import { type AddCommand, ownTerminal, type Terminal } from './commands/shell.ts';
import { loadDotEnv } from './environment.ts';
import { VERSION } from './version.ts';

/** In the order of the help. Only what is asked for is loaded: a command starts in half the time. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  serve: async () => (await import('./commands/serve.ts')).addServe,
  demo: async () => (await import('./commands/demo.ts')).addDemo,
  send: async () => (await import('./commands/send.ts')).addSend,
  why: async () => (await import('./commands/why.ts')).addWhy,
  orders: async () => (await import('./commands/orders.ts')).addOrders,
  notifications: async () => (await import('./commands/notifications.ts')).addNotifications,
  unverified: async () => (await import('./commands/unverified.ts')).addUnverified,
  refunds: async () => (await import('./commands/refunds.ts')).addRefunds,
  callbacks: async () => (await import('./commands/callbacks.ts')).addCallbacks,
  status: async () => (await import('./commands/status.ts')).addStatus,
  register: async () => (await import('./commands/register.ts')).addRegister,
  review: async () => (await import('./commands/review.ts')).addReview,
  reconcile: async () => (await import('./commands/reconcile.ts')).addReconcile,
  capture: async () => (await import('./commands/moves.ts')).addCapture,
  cancel: async () => (await import('./commands/moves.ts')).addCancel,
  refund: async () => (await import('./commands/moves.ts')).addRefund,
  redrive: async () => (await import('./commands/redrive.ts')).addRedrive,
  rebuild: async () => (await import('./commands/rebuild.ts')).addRebuild,
  verify: async () => (await import('./commands/verify.ts')).addVerify,
  'verify-store': async () => (await import('./commands/verify-store.ts')).addVerifyStore,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
  backup: async () => (await import('./commands/backup.ts')).addBackup,
  restore: async () => (await import('./commands/restore.ts')).addRestore,
  copy: async () => (await import('./commands/copy.ts')).addCopy,
  openapi: async () => (await import('./commands/openapi.ts')).addOpenapi,
  keygen: async () => (await import('./commands/keygen.ts')).addKeygen,
  sandbox: async () => (await import('./commands/sandbox.ts')).addSandbox,
};

/** All of them where none is named: for the help, and to say what was meant. */
const commandsFor = async ([name = '']: readonly string[]): Promise<readonly AddCommand[]> => {
  const named = Object.entries(COMMANDS).filter(([command]) => command === name);
  const wanted = named.length > 0 ? named : Object.entries(COMMANDS);
  return await Promise.all(wanted.map(async ([, load]) => await load()));
};

const EXIT_CODES = '\nExit codes: 0 fine, 1 found something wrong, 64 usage, 78 configuration.';

/**
 * Runs one command line (without `node` and the file's name) and gives its exit code. `onWrong` learns at once that it
 * is EXIT_WRONG. Never throws.
 */
export const run = async (words: readonly string[], terminal: Terminal, onWrong?: () => void): Promise<number> => {
  let exitCode = EXIT_FINE;
  const foundWrong = (): void => {
    exitCode = EXIT_WRONG;
    onWrong?.();
  };
  const program = new Command('paynotify')
    .version(VERSION)
    .description('The receiver for Antom / APO payment notifications: verified, stored, applied, acknowledged.')
    .helpCommand(false)
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  for (const add of await commandsFor(words)) add(program, { ...terminal, foundWrong });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, terminal);
  }
};

const unlessReaderIsGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
};

/** `paynotify orders | head` closes the pipe early: nobody is left to read more. The exit code tells what was found. */
const endWithReader = (error: NodeJS.ErrnoException): void => {
  unlessReaderIsGone(error);
  process.exit();
};

if (import.meta.main) {
  process.stdout.on('error', endWithReader);
  process.stderr.on('error', unlessReaderIsGone);
  const terminal = ownTerminal(process.env);
  try {
    loadDotEnv();
    process.exitCode = await run(process.argv.slice(2), terminal, () => {
      process.exitCode = EXIT_WRONG;
    });
  } catch (error) {
    process.exitCode = report(error, terminal);
  }
}
