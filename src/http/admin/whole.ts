import type { Diagnosed } from '../../antom/diagnosis.ts';
import type { RawNotification } from '../../order/reading.ts';
import type { StoredNotification, StoredUnverified } from '../../store/store.ts';

/** A notification as the API and the command line show it: its headers under their own names, its bytes as Base64. */
export const wholeNotification = (
  { raw, statements: _statements, ...stored }: StoredNotification,
  signatureVerifies: boolean | null,
) => ({
  ...stored,
  method: raw?.method ?? null,
  target: raw?.target ?? null,
  headers: raw === null ? null : headersOf(stored, raw),
  body: raw === null ? null : Buffer.from(raw.body).toString('base64'),
  signatureVerifies,
});

interface SignatureHeaders {
  readonly 'client-id': string;
  readonly signature: string;
}
export interface RequestHeaders extends SignatureHeaders {
  readonly 'request-time': string;
}
/** Of an answer. */
export interface ResponseHeaders extends SignatureHeaders {
  readonly 'response-time': string;
}

const headersOf = (
  { clientId, asked }: Pick<StoredNotification, 'clientId' | 'asked'>,
  { requestTime, signature }: RawNotification,
): RequestHeaders | ResponseHeaders =>
  asked === null
    ? { 'client-id': clientId, 'request-time': requestTime, signature }
    : { 'client-id': clientId, 'response-time': requestTime, signature };

/** An unverified request as shown: every occurrence of each header. */
export const wholeUnverified = <D extends Diagnosed | null>(
  { request, origin: _origin, trust: _trust, ...stored }: StoredUnverified,
  diagnosis: D,
) => ({
  ...stored,
  diagnosis,
  method: request.method,
  target: request.target,
  headers: { 'client-id': request.clientIds, 'request-time': request.requestTimes, signature: request.signatures },
  body: Buffer.from(request.body).toString('base64'),
});
