import { readFileSync } from 'node:fs';
import type { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import type Forge from 'node-forge';

/**
 * node-forge from outside jest's sandbox, where each `Math.floor` of its big integers goes through the sandbox's
 * interceptor: a signature took 1.2 to 4 s there, and takes 50 ms here.
 */
const forge = (runInThisContext("process.getBuiltinModule('node:module').createRequire") as typeof createRequire)(
  import.meta.url,
)('node-forge') as typeof Forge;

/**
 * A signer that shares no code with src: node-forge signs what the protocol page says is signed, and the header
 * is written here by hand. What it signs must verify; nobody else's word is taken for it.
 */
export interface ForgeSigner {
  /** One line of Base64 SubjectPublicKeyInfo, as APO's dashboard shows it. */
  readonly publicKey: string;
  /** The RSASSA-PKCS1-v1_5 signature with SHA-256, in plain Base64. */
  readonly signatureOf: (message: ForgeMessage) => string;
  /** The whole `signature` header. */
  readonly sign: (message: ForgeMessage, keyVersion?: string) => string;
  /** The three headers of a request. */
  readonly headers: (message: ForgeMessage, keyVersion?: string) => SignedHeaders;
}

export interface ForgeMessage {
  /** `POST` where absent. */
  readonly method?: string;
  readonly uri: string;
  readonly clientId: string;
  readonly requestTime: string;
  readonly body: string | Uint8Array;
}

export interface SignedHeaders {
  readonly 'client-id': string;
  readonly 'request-time': string;
  readonly signature: string;
}

/** Signs with a throw-away key: a new one, or the private key given as PEM. */
export const createForgeSigner = (privateKeyPem?: string): ForgeSigner => {
  const { privateKey, publicKey } =
    privateKeyPem === undefined ? forge.pki.rsa.generateKeyPair({ bits: 2048 }) : readPair(privateKeyPem);
  /** node-forge takes tens of milliseconds for a signature, and tests sign the same message again and again. */
  const known = new Map<string, string>();
  const signatureOf = (message: ForgeMessage): string => {
    const signed = signedText(message);
    const signature =
      known.get(signed) ?? forge.util.encode64(privateKey.sign(forge.md.sha256.create().update(signed)));
    known.set(signed, signature);
    return signature;
  };
  const sign = (message: ForgeMessage, keyVersion = '1'): string =>
    `algorithm=RSA256,keyVersion=${keyVersion},signature=${percentEncode(signatureOf(message))}`;
  return {
    publicKey: forge.util.encode64(forge.asn1.toDer(forge.pki.publicKeyToAsn1(publicKey)).getBytes()),
    signatureOf,
    sign,
    headers: (message, keyVersion) => ({
      'client-id': message.clientId,
      'request-time': message.requestTime,
      signature: sign(message, keyVersion),
    }),
  };
};

/** Whether a `signature` header is by the private half of this key (PEM) over the message. */
export const isSignedBy = (publicKeyPem: string, message: ForgeMessage, header: string): boolean => {
  const [, encoded = ''] = /^algorithm=RSA256,keyVersion=[^,]+,signature=([A-Za-z0-9%]+)$/.exec(header) ?? [];
  const digest = forge.md.sha256.create().update(signedText(message)).digest().bytes();
  const signature = forge.util.decode64(decodeURIComponent(encoded));
  return encoded !== '' && forge.pki.publicKeyFromPem(publicKeyPem).verify(digest, signature);
};

/** A file of test/fixtures/keys, made by OpenSSL. */
export const keyFixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/keys/${name}`, import.meta.url), 'utf8');

const readPair = (pem: string): Forge.pki.rsa.KeyPair => {
  const privateKey = forge.pki.privateKeyFromPem(pem);
  return { privateKey, publicKey: forge.pki.setRsaPublicKey(privateKey.n, privateKey.e) };
};

/** One character a byte: what node-forge digests. */
const signedText = ({ method = 'POST', uri, clientId, requestTime, body }: ForgeMessage): string =>
  `${method} ${uri}\n${clientId}.${requestTime}.${Buffer.from(body).toString('latin1')}`;

const percentEncode = (base64: string): string =>
  base64.replaceAll('+', '%2B').replaceAll('/', '%2F').replaceAll('=', '%3D');
