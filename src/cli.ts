#!/usr/bin/env node
import { Command } from 'commander';
import { addBackup } from './commands/backup.ts';
import { addCallbacks } from './commands/callbacks.ts';
import { addCopy } from './commands/copy.ts';
import { addDemo } from './commands/demo.ts';
import { EXIT_FINE, EXIT_WRONG, report } from './commands/failure.ts';
import { addKeygen } from './commands/keygen.ts';
import { addMigrate } from './commands/migrate.ts';
import { addCancel, addCapture, addRefund } from './commands/moves.ts';
import { addNotifications } from './commands/notifications.ts';
import { addOpenapi } from './commands/openapi.ts';
import { addOrders } from './commands/orders.ts';
import { addRebuild } from './commands/rebuild.ts';
import { addReconcile } from './commands/reconcile.ts';
import { addRedrive } from './commands/redrive.ts';
import { addRefunds } from './commands/refunds.ts';
import { addRegister } from './commands/register.ts';
import { addRestore } from './commands/restore.ts';
import { addReview } from './commands/review.ts';
import { addSandbox } from './commands/sandbox.ts';
import { addSend } from './commands/send.ts';
import { addServe } from './commands/serve.ts';
import { type AddCommand, ownTerminal, type Terminal } from './commands/shell.ts';
import { addStatus } from './commands/status.ts';
import { addUnverified } from './commands/unverified.ts';
import { addVerify } from './commands/verify.ts';
import { addVerifyStore } from './commands/verify-store.ts';
import { addWhy } from './commands/why.ts';
import { loadDotEnv } from './config.ts';
import { VERSION } from './version.ts';

const COMMANDS: readonly AddCommand[] = [
  addServe,
  addDemo,
  addSend,
  addWhy,
  addOrders,
  addNotifications,
  addUnverified,
  addRefunds,
  addCallbacks,
  addStatus,
  addRegister,
  addReview,
  addReconcile,
  addCapture,
  addCancel,
  addRefund,
  addRedrive,
  addRebuild,
  addVerify,
  addVerifyStore,
  addMigrate,
  addBackup,
  addRestore,
  addCopy,
  addOpenapi,
  addKeygen,
  addSandbox,
];

const EXIT_CODES = '\nExit codes: 0 fine, 1 found something wrong, 64 usage, 78 configuration.';

/** Runs one command line (without `node` and the file's name) and gives its exit code. Never throws. */
export const run = async (words: readonly string[], terminal: Terminal): Promise<number> => {
  let exitCode = EXIT_FINE;
  const foundWrong = (): void => {
    exitCode = EXIT_WRONG;
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
  for (const add of COMMANDS) add(program, { ...terminal, foundWrong });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, terminal);
  }
};

/** `paynotify orders | head` closes the pipe early: that is fine, and nobody is left to read more. */
const endWithReader = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT_FINE);
};

if (import.meta.main) {
  process.stdout.on('error', endWithReader);
  process.stderr.on('error', endWithReader);
  const terminal = ownTerminal(process.env);
  try {
    loadDotEnv();
    process.exitCode = await run(process.argv.slice(2), terminal);
  } catch (error) {
    process.exitCode = report(error, terminal);
  }
}
