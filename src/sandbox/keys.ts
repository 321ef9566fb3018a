import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export interface SigningKey {
  readonly version: string;
  readonly key: KeyObject;
  /** One line of bare Base64, as the dashboard shows it. */
  readonly publicKey: string;
}

/** The key in force, and the next one, which can be configured before it signs. */
export interface SigningKeys {
  readonly current: () => SigningKey;
  readonly next: () => Promise<SigningKey>;
  /** From now on everything is signed with the next one; what waits to be sent, too. */
  readonly rotate: () => Promise<SigningKey>;
}

const BITS = 2_048;
const generate = promisify(generateKeyPair);

export const publicHalf = (key: KeyObject): string =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');

const makeNext = async (version: number): Promise<SigningKey> => {
  const { privateKey } = await generate('rsa', { modulusLength: BITS, publicExponent: 0x10001 });
  return { version: String(version), key: privateKey, publicKey: publicHalf(privateKey) };
};

export const createSigningKeys = (key: KeyObject): SigningKeys => {
  let current: SigningKey = { version: '1', key, publicKey: publicHalf(key) };
  /** Made once somebody asks: that takes a while. */
  let made: Promise<SigningKey> | null = null;
  const next = async (): Promise<SigningKey> => await (made ??= makeNext(Number(current.version) + 1));
  return {
    current: () => current,
    next,
    rotate: async () => {
      current = await next();
      made = null;
      return current;
    },
  };
};
