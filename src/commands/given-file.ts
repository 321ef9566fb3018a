import { readFile } from 'node:fs/promises';
import { codeOf } from '../thrown.ts';
import { CommandError, reasonOf } from './failure.ts';

/** The bytes of a file that an option names. Throws a CommandError. */
export const readGivenFile = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${codeOf(error) ?? reasonOf(error)}`);
  }
};
