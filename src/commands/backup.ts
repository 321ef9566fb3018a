import { existsSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { codeOf } from '../thrown.ts';
import { CommandError, reasonOf } from './failure.ts';
import { jsonOption } from './options.ts';
import { counted } from './readable.ts';
import { type AddCommand, printJson } from './shell.ts';
import { withStore } from './stored.ts';

export const addBackup: AddCommand = (program, shell) => {
  program
    .command('backup')
    .summary('copy the database to a new file, while the service runs, and check the copy')
    .description(
      'Copies the database as it is at one moment to a new file, while the service runs, and checks the copy. The file appears once it is complete, intact and on disk. An existing file is never overwritten.',
    )
    .argument('<file>', 'the file to make')
    .addOption(jsonOption())
    .action(async (file: string, { json }: { readonly json?: true }) => {
      const { bytes } = await withStore(shell, async (store) => await makeWhole(file, store.backup));
      if (json === true) printJson(shell, { file, bytes });
      else shell.out(`Wrote ${file} (${counted(bytes, 'byte')}); it is intact.`);
    });
};

/** Has a file written beside its place, where it goes once it is complete. Throws a CommandError. */
const makeWhole = async <T>(file: string, write: (part: string) => Promise<T>): Promise<T> => {
  if (existsSync(file)) throw notWritable({ code: 'EEXIST' }, file);
  const part = `${file}.${randomBytes(4).toString('hex')}.part`;
  await reserve(part, file);
  try {
    const written = await write(part);
    await putInPlace(part, file);
    return written;
  } finally {
    await rm(part, { force: true });
  }
};

/** An empty file that is surely ours and nobody else's to read: an order holds who paid what. */
const reserve = async (part: string, file: string): Promise<void> => {
  try {
    await (await open(part, 'wx', 0o600)).close();
  } catch (error) {
    throw notWritable(error, file);
  }
};

/** File systems without links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** A link never takes the place of what came there meanwhile. */
const putInPlace = async (part: string, file: string): Promise<void> => {
  try {
    await link(part, file);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw notWritable(error, file);
    await rename(part, file);
  }
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
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
