import { rebuildOrders } from '../upkeep/rebuild.ts';
import { jsonOption } from './options.ts';
import { counted } from './readable.ts';
import { type AddCommand, printJson } from './shell.ts';
import { withStore } from './stored.ts';

export const addRebuild: AddCommand = (program, shell) => {
  program
    .command('rebuild')
    .summary('derive every order again from what is stored')
    .description(
      'Derives every order again from what is stored, by the rules of the service, in short transactions, and says how many changed.',
    )
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const report = await withStore(shell, async (store) => await rebuildOrders(store));
      if (json === true) printJson(shell, report);
      else
        shell.out(
          `Derived ${counted(report.orders, 'order')} again; ${report.changed === 0 ? 'none' : report.changed} changed.`,
        );
    });
};
