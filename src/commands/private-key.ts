import type { KeyObject } from 'node:crypto';
import { KeyError } from '../antom/keys.ts';
import { readPrivateKeyText } from '../antom/private-key.ts';
import { CommandError } from './failure.ts';
import { readGivenFile } from './given-file.ts';

/** Reads a file that holds an RSA private key to sign with. Throws a CommandError, which never quotes the key. */
export const readPrivateKey = async (file: string): Promise<KeyObject> => {
  const text = String(await readGivenFile(file));
  try {
    return readPrivateKeyText(text).key;
  } catch (error) {
    if (error instanceof KeyError) throw new CommandError(`${file}: ${error.message}`);
    throw error;
  }
};
