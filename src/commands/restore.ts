import { readStoreConfig } from '../config.ts';
import { RestoreRefusedError, restoreSqlite, type Restored } from '../store/sqlite/restore.ts';
import { fileOf } from '../store/sqlite/file.ts';
import { CommandError, UsageError } from './failure.ts';
import { jsonOption } from './options.ts';
import { counted } from './readable.ts';
import { type AddCommand, printJson } from './shell.ts';

export const addRestore: AddCommand = (program, shell) => {
  program
    .command('restore')
    .summary('put a backup in the place of the database, while the service is stopped')
    .description(
      'Puts a copy of a backup in the place of the database that DATABASE_URL names (SQLite), and keeps what was there beside it. Refuses while any program has the database open, and where the backup is not intact; then nothing is changed.',
    )
    .argument('<file>', 'what `paynotify backup` made')
    .addOption(jsonOption())
    .action((backup: string, { json }: { readonly json?: true }) => {
      const { databaseUrl } = readStoreConfig(shell.env);
      if (!databaseUrl.startsWith('sqlite:'))
        throw new UsageError('restore is for SQLite: restore PostgreSQL with pg_restore or its other tools');
      const file = fileOf(databaseUrl);
      const restored = restore(backup, file);
      if (json === true) printJson(shell, { file, backup, ...restored });
      else shell.out(tell(file, backup, restored));
    });
};

const restore = (backup: string, file: string): Restored => {
  try {
    return restoreSqlite(backup, file, new Date());
  } catch (error) {
    if (error instanceof RestoreRefusedError) throw new CommandError(error.message);
    throw error;
  }
};

const tell = (file: string, backup: string, { kept, keptBeside, bytes }: Restored): string => {
  const done = `${file} is now a copy of ${backup} (${counted(bytes, 'byte')}).`;
  const beside = keptBeside.length === 0 ? '' : `What lay beside it and is not its own is ${keptBeside.join(' and ')}.`;
  if (kept === null) return beside === '' ? done : `${done}\n${beside} Nothing reads it any more.`;
  return `${done}
What was there is kept as ${kept}. ${beside === '' ? '' : `${beside} `}What was acknowledged since the backup is only there; APO does not send it again. Bring it back, if that file can be read, with

  paynotify copy --merge --from sqlite:${kept}

Then delete what is kept.`;
};
