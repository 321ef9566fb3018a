import type { Request, RequestHandler, Response } from 'express';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { AntomKey } from '../antom/keys.ts';
import { pathOf, readHead, verify } from '../antom/signature.ts';
import { signatureHeader } from '../antom/signing.ts';
import type { JsonObject } from '../order/statement.ts';
import { resultJson } from './bodies.ts';
import { CALLS } from './calls.ts';
import { comesUnsigned, isOfTheCall, type Outcome } from './codes.ts';
import type { Journal } from './journal.ts';
import type { SigningKey } from './keys.ts';
import { holdsCardData } from './operations/request.ts';
import { stamp } from './stamp.ts';
import { happens, type Operation, OPERATIONS, refusal, type Reply, withOutcome, type World } from './world.ts';

/** Where a `SANDBOX_` client calls: the documents' path with `/ams/sandbox/api` for `/ams/api`. */
export const API_PATH = '/ams/sandbox/api/v1/payments';

export interface ApiNeeds {
  readonly world: World;
  readonly clientId: string;
  /** Signs the responses. */
  readonly key: () => SigningKey;
  /** The merchant's, with the version that it answers to. */
  readonly merchantKey: AntomKey;
  readonly journal: Journal;
}

/** Answers a call: every business answer is HTTP 200, and signed. The body has been read as bytes. */
export const createApi = (needs: ApiNeeds): RequestHandler => {
  const countOf = createCounts();
  return async (request, response) => {
    const call = readCall(request, needs);
    // A digest: whatever somebody sent is not kept.
    const about = `${call.name} ${createHash('sha256').update(call.text).digest('hex')}`;
    const nth = `${about} ${countOf(about)}`;
    const { world } = needs;
    if (happens(world, 'slow', nth)) await pause(world.settings().slowMs, null, { ref: false });
    const failure = 'reply' in call || !happens(world, 'failing', nth) ? null : failureOf(world, nth);
    if (failure?.when === 'before') {
      fail(response, failure.how, { needs, call });
      return;
    }
    const reply = 'reply' in call ? call.reply : carryOut(world, call);
    if (failure === null) answer(response, reply, { needs, call, nth });
    else fail(response, failure.how, { needs, call });
  };
};

/** How often each was made. */
const createCounts = (): ((about: string) => number) => {
  const counts = new Map<string, number>();
  return (about) => {
    const count = (counts.get(about) ?? 0) + 1;
    counts.set(about, count);
    return count;
  };
};

interface Asked {
  /** The last part of the path. */
  readonly name: string;
  /** The path that was called, which the response's signature is about. */
  readonly path: string;
  readonly text: string;
}
interface GoodCall extends Asked {
  readonly operation: Operation;
  readonly body: JsonObject;
}
type Call = GoodCall | (Asked & { readonly reply: Reply });

const readCall = (request: Request, needs: ApiNeeds): Call => {
  const bytes = request.body instanceof Uint8Array ? request.body : Buffer.alloc(0);
  const path = pathOf(request.originalUrl);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const asked = { name, path, text: Buffer.from(bytes).toString('utf8') };
  const operation = OPERATIONS.find((one) => path === `${API_PATH}/${one}`);
  if (request.method !== 'POST') return { ...asked, reply: refusal('METHOD_NOT_SUPPORTED') };
  if (operation === undefined) return { ...asked, reply: refusal('INVALID_API', wrongPath(path)) };
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    return { ...asked, reply: refusal('MEDIA_TYPE_NOT_ACCEPTABLE') };
  const problem = problemOfSignature(request, bytes, needs);
  if (problem !== null) return { ...asked, reply: refusal(problem) };
  const body = readBody(asked.text);
  if (body === null) return { ...asked, reply: refusal('PARAM_ILLEGAL', 'The body is no JSON object.') };
  return { ...asked, operation, body };
};

const wrongPath = (path: string): string | undefined =>
  path.startsWith('/ams/api/') ? 'A SANDBOX_ client calls, and signs, /ams/sandbox/api.' : undefined;

const readBody = (text: string): JsonObject | null => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : null;
  } catch {
    return null;
  }
};

const problemOfSignature = (request: Request, body: Uint8Array, { clientId, merchantKey }: ApiNeeds): string | null => {
  const valuesOf = (name: string): readonly string[] => request.headersDistinct[name] ?? [];
  const signed = {
    method: request.method,
    target: request.originalUrl,
    clientIds: valuesOf('client-id'),
    requestTimes: valuesOf('request-time'),
    signatures: valuesOf('signature'),
    body,
  };
  const trust = { keys: new Map([[clientId, [merchantKey]]]), publicUris: [] };
  if (signed.clientIds.length !== 1 || signed.clientIds[0] !== clientId) return 'CLIENT_INVALID';
  const head = readHead(signed, trust);
  if (typeof head === 'string') return 'INVALID_SIGNATURE';
  if (head.keyVersion !== null && head.keyVersion !== merchantKey.version) return 'KEY_NOT_FOUND';
  return verify(signed, trust).verified ? null : 'INVALID_SIGNATURE';
};

const idsOf = (body: JsonObject): readonly string[] =>
  ['paymentId', 'paymentRequestId', 'captureRequestId', 'refundRequestId', 'refundId']
    .map((name) => body[name])
    .filter((value) => typeof value === 'string');

const carryOut = (world: World, { operation, body }: GoodCall): Reply => {
  const ids = idsOf(body);
  const payment = ids.map((one) => world.ledger.byId(one) ?? world.ledger.byRequest(one)).find((one) => one !== null);
  const told = world.told.take(operation, [...ids, payment?.paymentId, payment?.paymentRequestId]);
  if (told !== null && isOfTheCall(told)) return withOutcome(told);
  return CALLS[operation](world, body, told);
};

const FAILURES = ['HTTP 500', 'connection cut', 'UNKNOWN_EXCEPTION'] as const;
type Failure = (typeof FAILURES)[number];

/** Before it is carried out, or after: the merchant cannot tell. */
const failureOf = ({ chance }: World, nth: string): { readonly when: 'before' | 'after'; readonly how: Failure } => ({
  when: chance.pick(['before', 'after'], 'when a call fails', nth),
  how: chance.pick(FAILURES, 'how a call fails', nth),
});

interface Answering {
  readonly needs: ApiNeeds;
  readonly call: Call;
  readonly nth: string;
}

const fail = (response: Response, how: Failure, { needs, call }: Omit<Answering, 'nth'>): void => {
  switch (how) {
    case 'HTTP 500':
      response.status(500).type('text/plain').send('Internal Server Error');
      break;
    case 'connection cut':
      response.socket?.destroy();
      break;
    case 'UNKNOWN_EXCEPTION':
      writeSigned(response, bodyOf(refusal(how)), { needs, call, signed: 'well' });
      break;
  }
  note(needs, call, { sent: '', outcome: how, isFine: false });
};

const bodyOf = ({ outcome, fields }: Reply): string => JSON.stringify({ ...fields, result: resultJson(outcome) });

const answer = (response: Response, reply: Reply, { needs, call, nth }: Answering): void => {
  const signed = howSigned(needs.world, reply.outcome, nth);
  const body = bodyOf(reply);
  writeSigned(response, body, { needs, call, signed });
  const { resultStatus, resultCode } = reply.outcome;
  const outcome = `${resultStatus} ${resultCode}${HOW_SIGNED[signed]}`;
  note(needs, call, { sent: body, outcome, isFine: resultStatus === 'S' && signed === 'well' });
};

type Signed = 'well' | 'badly' | 'not';
const HOW_SIGNED: Readonly<Record<Signed, string>> = { well: '', badly: ', badly signed', not: ', unsigned' };

const howSigned = (world: World, outcome: Outcome, nth: string): Signed => {
  if (comesUnsigned(outcome) || happens(world, 'unsigned', nth)) return 'not';
  return happens(world, 'badlySigned', nth) ? 'badly' : 'well';
};

const writeSigned = (
  response: Response,
  text: string,
  { needs, call, signed }: Omit<Answering, 'nth'> & { readonly signed: Signed },
): void => {
  const { clientId, key } = needs;
  const body = Buffer.from(text);
  const requestTime = stamp(new Date());
  const { key: privateKey, version } = key();
  // A bad signature is one of something else.
  const bytes = signed === 'badly' ? Buffer.concat([body, Buffer.from(' ')]) : body;
  const signable = { method: 'POST', uri: call.path, clientId, requestTime, body: bytes };
  response.status(200).set({ 'content-type': 'application/json; charset=UTF-8' });
  response.set({ 'client-id': clientId, 'response-time': requestTime });
  if (signed !== 'not') response.set({ signature: signatureHeader(signable, privateKey, version) });
  response.end(body);
};

/** The call's own body is not kept: somebody may have sent card data. */
const note = (
  { journal }: ApiNeeds,
  call: Call,
  { sent, outcome, isFine }: { readonly sent: string; readonly outcome: string; readonly isFine: boolean },
): void => {
  const ids = 'body' in call && !holdsCardData(call.body) ? idsOf(call.body).join(' ') : '';
  journal.add({
    at: new Date().toISOString(),
    what: 'call',
    name: call.name,
    ids,
    sent,
    answer: null,
    outcome,
    isFine,
  });
};
