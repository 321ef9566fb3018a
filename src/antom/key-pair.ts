import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

export interface KeyPair {
  /** PKCS#8 PEM. */
  readonly privateKey: string;
  /** Bare Base64 of its DER SubjectPublicKeyInfo, on one line, as the dashboard shows keys. */
  readonly publicKey: string;
}

const generate = promisify(generateKeyPair);
const EXPONENT = 0x1_00_01;

/** An RSA key pair, to sign and verify notifications with; its modulus is so many bits long. */
export const makeKeyPair = async (bits: number): Promise<KeyPair> => {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: bits, publicExponent: EXPONENT });
  return {
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
};
