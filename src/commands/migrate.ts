import { readStoreConfig } from '../config.ts';
import { migrateStore } from '../store/open.ts';
import { jsonOption } from './options.ts';
import { type AddCommand, printJson } from './shell.ts';

export const addMigrate: AddCommand = (program, shell) => {
  program
    .command('migrate')
    .summary('bring the database schema forward, and do nothing else')
    .description(
      'Brings the schema of the database that DATABASE_URL names forward, and makes it where there is none. The service does the same when it starts; alone it may run under a role of its own, before a deploy. Forward only, and safe to run at any time.',
    )
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const migrated = await migrateStore(readStoreConfig(shell.env));
      const { version, applied } = migrated;
      if (json === true) printJson(shell, migrated);
      else if (applied.length === 0) shell.out(`The schema is at version ${version}; there was nothing to apply.`);
      else shell.out(`The schema is at version ${version}; applied ${applied.join(', ')}.`);
    });
};
