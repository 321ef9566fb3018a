import { open, rm } from 'node:fs/promises';
import { codeOf, CommandError, reasonOf } from './failure.ts';
import { jsonOption } from './options.ts';
import { counted } from './readable.ts';
import { type AddCommand, printJson } from './shell.ts';
import { withStore } from './stored.ts';

export const addBackup: AddCommand = (program, shell) => {
  program
    .command('backup')
    .summary('copy the database to a new file, while the service runs')
    .description(
      'Copies the database as it is at one moment to a new file, while the service runs. An existing file is never overwritten.',
    )
    .argument('<file>', 'the file to make')
    .addOption(jsonOption())
    .action(async (file: string, { json }: { readonly json?: true }) => {
      const { bytes } = await withStore(shell, async (store) => {
        await reserve(file);
        try {
          return await store.backup(file);
        } catch (error) {
          await rm(file, { force: true });
          throw error;
        }
      });
      if (json === true) printJson(shell, { file, bytes });
      else shell.out(`Wrote ${file} (${counted(bytes, 'byte')}).`);
    });
};

/** An empty file that is surely ours and nobody else's to read: an order holds who paid what. */
const reserve = async (file: string): Promise<void> => {
  try {
    await (await open(file, 'wx', 0o600)).close();
  } catch (error) {
    throw notWritable(error, file);
  }
};

/** Why a new file could not be made. */
export const notWritable = (error: unknown, file: string): CommandError => {
  const code = codeOf(error);
  return new CommandError(
    code === 'EEXIST'
      ? `${file} exists, and is not overwritten`
      : `${file} cannot be written: ${code ?? reasonOf(error)}`,
  );
};
