import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KeyError } from '../antom/keys.ts';
import { readPrivateKeyText } from '../antom/private-key.ts';
import { codeOf } from '../thrown.ts';
import { CommandError, reasonOf } from './failure.ts';

/** Reads a file that holds an RSA private key to sign with. Throws a CommandError, which never quotes the key. */
export const readPrivateKey = async (file: string): Promise<KeyObject> => {
  const text = await readText(file);
  try {
    return readPrivateKeyText(text).key;
  } catch (error) {
    if (error instanceof KeyError) throw new CommandError(`${file}: ${error.message}`);
    throw error;
  }
};

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${codeOf(error) ?? reasonOf(error)}`);
  }
};
