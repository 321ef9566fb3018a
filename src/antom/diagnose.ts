import { hash } from 'node:crypto';
import type { Diagnosis, DiagnosisTrust, KeyOwner } from './diagnosis.ts';
import { bodiesFor } from './diagnosis-body.ts';
import { diagnoseHeaders } from './diagnosis-headers.ts';
import { urisFor } from './diagnosis-path.ts';
import type { AntomKey, KeyRing } from './keys.ts';
import {
  type Head,
  parseSignatureHeader,
  readHead,
  type SignedRequest,
  stringToSign,
  urisOf,
  verify,
} from './signature.ts';
import { signedDigest } from './signed-digest.ts';

/** Never throws. Takes milliseconds, and about 100 ms where the body is large: not for where requests wait. */
export const diagnose = (request: SignedRequest, trust: DiagnosisTrust): Diagnosis => {
  const steps = diagnosing(request, trust);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
};

/** The same in steps, between which other work may be done: under a millisecond each, and up to 10 for a large body. */
export function* diagnosing(request: SignedRequest, trust: DiagnosisTrust): Generator<undefined, Diagnosis, undefined> {
  const head = readHead(request, trust);
  if (head === 'UNKNOWN_CLIENT') {
    const [clientId = ''] = request.clientIds;
    return { code: head, clientId, configured: [...trust.keys.keys()], owner: yield* ownerOf(request, trust) };
  }
  if (typeof head === 'string') return diagnoseHeaders(request, { reason: head, keys: trust.keys });
  const verification = verify(request, trust);
  if (verification.verified) return { code: 'VERIFIES' };
  yield;
  const digest = signedDigest(head.signature, head.fitting);
  if (digest !== null) return yield* findChange({ request, head, digest }, trust);
  if (verification.reason === 'UNKNOWN_KEY_VERSION') {
    const configured = head.keys.flatMap(({ version }) => (version === null ? [] : [version]));
    return { code: 'UNKNOWN_KEY_VERSION', keyVersion: head.keyVersion ?? '', configured };
  }
  return { code: 'OTHER_KEY', clientId: head.clientId, owner: yield* ownerOf(request, trust) };
}

/**
 * The configured client whose key made the signature of a request with another client id; null where no key did. To
 * correct the configuration helps only where the client id received was signed, so that is tried.
 */
function* ownerOf(request: SignedRequest, trust: DiagnosisTrust): Generator<undefined, KeyOwner | null, undefined> {
  const key = yield* keyThatMade(request.signatures[0] ?? '', trust.keys);
  if (key === null) return null;
  const owners = [...trust.keys].filter(([, keys]) => keys.some(({ fingerprint }) => fingerprint === key.fingerprint));
  for (const [clientId] of owners) {
    yield;
    if (verify({ ...request, clientIds: [clientId] }, trust).verified) return { clientId, forReceived: null };
  }
  const [clientId = ''] = owners.map(([id]) => id);
  const keys = new Map(request.clientIds.map((received) => [received, [key]]));
  const forReceived = yield* diagnosing(request, { ...trust, keys });
  // `CLIENT.TIME` as the client id, of a shorter time, signs the same bytes.
  const isCut = request.clientIds.some((received) => owners.some(([id]) => received.startsWith(`${id}.`)));
  return { clientId, forReceived: forReceived.code === 'VERIFIES' && isCut ? { code: 'CUT_ELSEWHERE' } : forReceived };
}

/** The configured key that made a signature, for whatever text. */
function* keyThatMade(header: string, keys: KeyRing): Generator<undefined, AntomKey | null, undefined> {
  const parsed = parseSignatureHeader(header);
  if (typeof parsed === 'string') return null;
  for (const key of [...keys.values()].flat()) {
    if (key.signatureBytes !== parsed.signature.length) continue;
    yield;
    if (signedDigest(parsed.signature, [key]) !== null) return key;
  }
  return null;
}

interface Signed {
  readonly request: SignedRequest;
  readonly head: Head;
  /** Of the text that was signed. */
  readonly digest: Buffer;
}

/** One change at a time: another uri for the body as received, or another body for the uris that are tried anyway. */
function* findChange(signed: Signed, trust: DiagnosisTrust): Generator<undefined, Diagnosis, undefined> {
  const { target, body } = signed.request;
  const uris = [...urisOf(target, trust.publicUris)];
  const fits = (uri: string, bytes: Uint8Array): boolean => digestOf(signed, uri, bytes).equals(signed.digest);
  if (uris.some((uri) => fits(uri, body))) return { code: 'CUT_ELSEWHERE' };
  for (const { bytes, diagnosis } of bodiesFor(body)) {
    yield;
    if (uris.some((uri) => fits(uri, bytes))) return diagnosis;
  }
  for (const uri of urisFor(target, trust)) {
    yield;
    if (fits(uri, body)) return { code: 'TEXT_CHANGED_PATH', signed: uri, received: target };
  }
  return { code: 'TEXT_CHANGED' };
}

const digestOf = ({ request: { method }, head }: Signed, uri: string, body: Uint8Array): Buffer => {
  const { clientId, requestTime } = head;
  return hash('sha256', stringToSign({ method, uri, clientId, requestTime, body }), 'buffer');
};
