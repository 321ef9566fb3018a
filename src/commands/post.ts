import type { KeyObject } from 'node:crypto';
import { signatureHeader } from '../antom/signing.ts';
import { reasonOf } from './reason.ts';

/** What APO takes for an acknowledgement. Written out here: a sender does not ask the receiver what to expect. */
const ACKNOWLEDGEMENT = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}';

export interface Signer {
  readonly clientId: string;
  readonly key: KeyObject;
  readonly keyVersion: string;
  /** Signs something other than what is sent. */
  readonly breaks: boolean;
  /** As it is sent; the present time where it is left out. */
  readonly requestTime?: string | undefined;
}

/** A notification as it goes over the wire. */
export interface SignedPost {
  readonly url: URL;
  readonly headers: Readonly<Record<'content-type' | 'client-id' | 'request-time' | 'signature', string>>;
  readonly body: Buffer;
}

export interface PostAnswer {
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
}

export type Posted =
  | { readonly answer: PostAnswer; readonly problem: null }
  | { readonly answer: null; readonly problem: string };

/** Signs a body for the path it is sent to, without the query, as APO's samples do. */
export const signPost = (url: URL, body: Buffer, signer: Signer): SignedPost => {
  const { clientId, key, keyVersion, breaks, requestTime = new Date().toISOString() } = signer;
  const signable = { method: 'POST', uri: url.pathname, clientId, requestTime, body };
  const signed = breaks ? { ...signable, body: Buffer.concat([body, Buffer.from(' ')]) } : signable;
  return {
    url,
    headers: {
      'content-type': 'application/json; charset=UTF-8',
      'client-id': clientId,
      'request-time': requestTime,
      signature: signatureHeader(signed, key, keyVersion),
    },
    body,
  };
};

/** Sends it; what does not come to an answer in time is a problem, not an error. */
export const post = async ({ url, headers, body }: SignedPost, timeoutMs: number): Promise<Posted> =>
  await answerTo(url, { method: 'POST', headers, body: new Uint8Array(body), signal: AbortSignal.timeout(timeoutMs) });

const SAID_WITHIN_MS = 10_000;

/** Says something to the admin listener, as a shop does. */
export const say = async (
  url: URL,
  { method, body }: { readonly method: string; readonly body: string },
): Promise<Posted> =>
  await answerTo(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(SAID_WITHIN_MS),
  });

const answerTo = async (url: URL, request: RequestInit): Promise<Posted> => {
  const began = performance.now();
  try {
    const response = await fetch(url, { ...request, redirect: 'manual' });
    const answer = {
      status: response.status,
      body: await response.text(),
      milliseconds: Math.round(performance.now() - began),
    };
    return { answer, problem: null };
  } catch (error) {
    return { answer: null, problem: reasonOf(error) };
  }
};

export const isAcknowledged = ({ answer }: Posted): boolean =>
  answer?.status === 200 && answer.body === ACKNOWLEDGEMENT;

/** The `resultCode` of an answer in APO's shape; null of any other. */
export const resultCodeOf = (body: string): string | null => {
  try {
    const { result } = JSON.parse(body) as { result?: { resultCode?: unknown } };
    return typeof result?.resultCode === 'string' ? result.resultCode : null;
  } catch {
    return null;
  }
};
