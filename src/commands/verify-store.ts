import { readConfig } from '../config.ts';
import { verifyStore } from '../upkeep/verify-again.ts';
import { jsonOption } from './options.ts';
import { counted } from './readable.ts';
import { type AddCommand, printJson } from './shell.ts';
import { withStore } from './stored.ts';
import { table } from './table.ts';

export const addVerifyStore: AddCommand = (program, shell) => {
  program
    .command('verify-store')
    .summary('verify every stored notification again')
    .description(
      "Verifies every stored notification's signature again, with the keys that are configured now. Changes nothing. Exit code 1 if one fails.",
    )
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const { keys, publicUris } = readConfig(shell.env);
      const verification = await withStore(shell, async (store) => await verifyStore(store, { keys, publicUris }));
      const { verified, failed, withoutBytes } = verification;
      if (failed.length > 0) shell.foundWrong();
      if (json === true) {
        printJson(shell, verification);
        return;
      }
      if (failed.length > 0)
        shell.out(
          `${table(
            shell.paint,
            ['CLIENT', 'DOES NOT VERIFY'],
            failed.map(({ clientId, id }) => [clientId, { text: id, colour: 'red' }]),
          )}\n`,
        );
      shell.out(
        `${counted(verified, 'notification')} verified; ${failed.length === 0 ? 'none' : failed.length} failed.`,
      );
      if (withoutBytes > 0)
        shell.out(`${counted(withoutBytes, 'notification')} passed over: the bytes have been removed.`);
    });
};
