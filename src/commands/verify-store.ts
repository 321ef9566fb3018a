import { type StoreVerification, verifyStore } from '../upkeep/verify-store.ts';
import { trustOfBoth } from './in-force.ts';
import { jsonOption } from './options.ts';
import { counted } from './readable.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { withStore } from './stored.ts';
import { table } from './table.ts';

export const addVerifyStore: AddCommand = (program, shell) => {
  program
    .command('verify-store')
    .summary('verify every stored notification, and compare every row with its check')
    .description(
      "Verifies every stored notification's signature again, with the keys and paths of the service and those of its own environment, and compares every row with its own check and with what it is derived from. Names what is not as it was written, and what to do. Changes nothing. Exit code 1 if something is wrong.",
    )
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const verification = await withStore(
        shell,
        async (store) => await verifyStore(store, await trustOfBoth(shell.env, store)),
      );
      if (verification.failed.length > 0 || verification.flaws.length > 0) shell.foundWrong();
      if (json === true) printJson(shell, verification);
      else printVerification(shell, verification);
    });
};

const REMEDY =
  'where a key, a client or a PUBLIC_NOTIFY_URL was removed since, run it with that one in its own environment, which counts beside what the service has (ANTOM_CLIENT_ID and ANTOM_PUBLIC_KEY, or ANTOM_CLIENTS_FILE); else take the row from a backup';

const printVerification = (shell: Shell, verification: StoreVerification): void => {
  const { verified, failed, withoutBytes, checked, flaws, ordersPassedOver } = verification;
  if (failed.length > 0)
    shell.out(
      `${table(
        shell.paint,
        ['CLIENT', 'DOES NOT VERIFY', 'WHY'],
        failed.map(({ clientId, id, reason }) => [clientId, { text: id, colour: 'red' }, reason ?? 'see below']),
      )}\n`,
    );
  if (failed.some(({ reason }) => reason !== null)) shell.out(`What to do: ${REMEDY}.\n`);
  for (const flaw of flaws)
    shell.out(`${shell.paint('red', flaw.table)}: ${flaw.key}\n  ${flaw.problem}\n  What to do: ${flaw.remedy}.\n`);
  shell.out(`${counted(verified, 'notification')} verified; ${failed.length === 0 ? 'none' : failed.length} failed.`);
  const rows = Object.values(checked).reduce((all, one) => all + one, 0);
  shell.out(`${counted(rows, 'row')} checked; ${flaws.length === 0 ? 'nothing' : flaws.length} wrong.`);
  if (withoutBytes > 0) shell.out(`${counted(withoutBytes, 'notification')} passed over: the bytes have been removed.`);
  if (ordersPassedOver)
    shell.out(
      'The orders are passed over: the service has not derived all of them by the rules in force yet. Run it again later.',
    );
};
