import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type AntomKey, readKey } from '../antom/keys.ts';
import { notWritable } from './backup.ts';
import { CommandError, reasonOf } from './failure.ts';
import { readGivenFile } from './given-file.ts';
import { makeKeyPair } from '../antom/key-pair.ts';
import { readPrivateKey } from './private-key.ts';

export interface SandboxKeys {
  readonly apoKey: KeyObject;
  readonly merchantKey: AntomKey;
  /** Null where only the merchant's public key was given. */
  readonly merchantPrivateKeyFile: string | null;
}

interface Where {
  readonly keys: string;
  readonly apoKey?: string;
  readonly merchantKey?: string;
  readonly merchantKeyVersion: string;
}

const BITS = 2_048;

/** Both from their files; what is not there is made. Throws a CommandError. */
export const readSandboxKeys = async (where: Where): Promise<SandboxKeys> => {
  const { keys, merchantKey, merchantKeyVersion } = where;
  const apoKey = await readPrivateKey(where.apoKey ?? (await madeKey(join(keys, 'apo-private-key.pem'))));
  if (merchantKey !== undefined) {
    const text = String(await readGivenFile(merchantKey));
    return { apoKey, merchantKey: versioned(text, merchantKeyVersion, merchantKey), merchantPrivateKeyFile: null };
  }
  const file = await madeKey(join(keys, 'merchant-private-key.pem'));
  const publicKey = createPublicKey(await readPrivateKey(file)).export({ format: 'pem', type: 'spki' });
  return {
    apoKey,
    merchantKey: versioned(publicKey, merchantKeyVersion, file),
    merchantPrivateKeyFile: resolve(file),
  };
};

const versioned = (text: string, version: string, file: string): AntomKey => {
  try {
    return readKey(`${version}:${text.trim()}`);
  } catch (error) {
    throw new CommandError(`${file}: ${reasonOf(error)}`);
  }
};

/** The file of a private key, which is made where there is none. */
const madeKey = async (file: string): Promise<string> => {
  if (existsSync(file)) return file;
  const { privateKey } = await makeKeyPair(BITS);
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    await writeFile(file, privateKey, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw notWritable(error, file);
  }
  return file;
};
