import { hash } from 'node:crypto';
import type { Diagnosis, DiagnosisTrust } from './diagnosis.ts';
import { bodiesFor } from './diagnosis-body.ts';
import { diagnoseHeaders, ownerOf } from './diagnosis-headers.ts';
import { urisFor } from './diagnosis-path.ts';
import { type Head, readHead, type SignedRequest, stringToSign, urisOf, verify } from './signature.ts';
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
  if (typeof head === 'string') return yield* diagnoseHeaders(request, { reason: head, keys: trust.keys });
  const verification = verify(request, trust);
  if (verification.verified) return { code: 'VERIFIES' };
  yield;
  const digest = signedDigest(head.signature, head.fitting);
  if (digest !== null) return yield* findChange({ request, head, digest }, trust);
  if (verification.reason === 'UNKNOWN_KEY_VERSION') {
    const configured = head.keys.flatMap(({ version }) => (version === null ? [] : [version]));
    return { code: 'UNKNOWN_KEY_VERSION', keyVersion: head.keyVersion ?? '', configured };
  }
  return { code: 'OTHER_KEY', clientId: head.clientId, keyOf: yield* ownerOf(head.signature, trust.keys) };
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
