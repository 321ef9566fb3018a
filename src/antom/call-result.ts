import { isUtf8 } from 'node:buffer';
import type { Amount } from '../order/amount.ts';
import type { JsonObject, Result } from '../order/statement.ts';
import { type SignedAnswer, type VerifiedAnswer, verifyAnswer } from './answer.ts';
import { ANSWERS, type Answers, type Asks, idsOf, resultSchema } from './asks.ts';
import { type Delay, type Failure, isUnsignedCode, type Operation, verdictOf } from './call-codes.ts';
import type { Received, Sent, Silence } from './exchange.ts';
import type { AntomKey, KeyRing } from './keys.ts';
import { readHead, type UnverifiedReason } from './signature.ts';

/**
 * Why it is not known what became of a call: a closed set. Only `UNDECIDED` is APO's own word. Whatever the reason, the
 * request may have been executed: it is sent again with the same request id, or inquired.
 */
export type Unknown =
  /** There is no answer to read. */
  | Silence
  /** The answer bears no signature. */
  | 'UNSIGNED'
  /** Unsigned, APO says that it does not know the client, the key or the signature: somebody has to correct it. */
  | 'CONFIGURATION'
  /** The signature is not APO's, or not over this answer, path and client; `detail` is an `UnverifiedReason`. */
  | 'UNVERIFIED'
  /** Signed, but no answer as APO describes it; `detail` names the field. */
  | 'UNREADABLE'
  /** Signed, but an answer to another question, or to one that it does not name; `detail` names the id. */
  | 'OTHER_IDS'
  /** Signed: S, of another amount than was asked; `detail` names the field. */
  | 'OTHER_AMOUNT'
  /** Signed: U, or a code that says as much. */
  | 'UNDECIDED';

/** What went out and what came back, to be stored as a fact. */
export interface Evidence {
  readonly sent: Sent;
  /** Null where nothing was read. */
  readonly received: Received | null;
  /** Null unless APO's signature verified. */
  readonly verified: VerifiedAnswer | null;
}

export interface SignedEvidence extends Evidence {
  readonly received: Received;
  readonly verified: VerifiedAnswer;
}

export interface UnknownResult {
  readonly outcome: 'UNKNOWN';
  readonly reason: Unknown;
  /** When to ask again. */
  readonly delay: Delay;
  /** For a log line: no secret, and of the answer nothing but a code. */
  readonly detail: string;
  /** As APO signed it; null where it did not, or where it cannot be read. */
  readonly result: Result | null;
  readonly evidence: Evidence;
}

/** What became of a call: three outcomes, of which `UNKNOWN` is never a failure. */
export type CallResult<Answer> =
  | { readonly outcome: 'OK'; readonly answer: Answer; readonly result: Result; readonly evidence: SignedEvidence }
  | {
      readonly outcome: 'FAILED';
      readonly failure: Failure;
      readonly result: Result;
      readonly evidence: SignedEvidence;
    }
  | UnknownResult;

export const unknown = (reason: Unknown, detail: string, evidence: Evidence): UnknownResult => ({
  outcome: 'UNKNOWN',
  reason,
  delay: reason === 'CONFIGURATION' ? 'BACK_OFF' : 'AGAIN',
  detail,
  result: null,
  evidence,
});

interface Exchanged {
  readonly sent: Sent;
  readonly received: Received;
}

/** Verifies the signature before anything is read. */
export const verifyEvidence = (
  exchanged: Exchanged,
  { clientId, keys }: { readonly clientId: string; readonly keys: readonly AntomKey[] },
): SignedEvidence | UnknownResult => {
  const answer = answerOf(exchanged);
  const trust = new Map([[clientId, keys]]);
  const proof = verifyAnswer(answer, trust);
  if (proof !== null) return { ...exchanged, verified: proof };
  const evidence = { ...exchanged, verified: null };
  if (answer.signatures.length > 0) return unknown('UNVERIFIED', whyNot(answer, trust), evidence);
  // All that is taken from an unsigned answer is the advice to look at one's own configuration.
  const code = parse(exchanged.received.body)?.result.resultCode ?? null;
  return code !== null && isUnsignedCode(code)
    ? unknown('CONFIGURATION', code, evidence)
    : unknown('UNSIGNED', 'no signature', evidence);
};

const answerOf = ({ sent, received: { headers, body } }: Exchanged): SignedAnswer => {
  const valuesOf = (name: string): readonly string[] =>
    headers.flatMap(([header, value]) => (header === name && value !== '' ? [value] : []));
  const [clientIds, responseTimes] = [valuesOf('client-id'), valuesOf('response-time')];
  return { path: sent.target, clientIds, responseTimes, signatures: valuesOf('signature'), body };
};

/** What the headers of an answer that did not verify lack; where nothing, it is the signature. */
const whyNot = ({ clientIds, responseTimes, signatures }: SignedAnswer, keys: KeyRing): UnverifiedReason => {
  const head = readHead({ clientIds, requestTimes: responseTimes, signatures }, { keys });
  return typeof head === 'string' ? head : 'SIGNATURE_MISMATCH';
};

interface Parsed {
  readonly json: JsonObject;
  readonly result: Result;
}

/** Null where it is not JSON with a `result`. */
const parse = (body: Buffer): Parsed | null => {
  const json = isUtf8(body) ? parseJson(body.toString('utf8')) : undefined;
  if (typeof json !== 'object' || json === null || !('result' in json)) return null;
  const result = resultSchema.safeParse(json.result);
  return result.success ? { json: json as JsonObject, result: result.data } : null;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What an answer says whose signature verified. */
export const readResult = <O extends Operation>(
  operation: O,
  ask: Asks[O],
  evidence: SignedEvidence,
): CallResult<Answers[O]> => {
  const parsed = parse(evidence.received.body);
  if (parsed === null) return unknown('UNREADABLE', 'result', evidence);
  const { json, result } = parsed;
  const ids = idsOf(ask);
  const other = [...ids].find(([name, asked]) => isStated(json, name) && json[name] !== asked);
  if (other !== undefined) return { ...unknown('OTHER_IDS', other[0], evidence), result };
  const verdict = verdictOf(operation, result);
  switch (verdict.outcome) {
    case 'FAILED':
      return { ...verdict, result, evidence };
    case 'UNKNOWN':
      return { ...unknown('UNDECIDED', result.resultCode ?? 'no code', evidence), ...verdict, result };
    case 'OK': {
      const answer = ANSWERS[operation].safeParse(json);
      if (!answer.success) return { ...unknown('UNREADABLE', pathOf(answer.error), evidence), result };
      // A success that names nothing of what was asked could be that of another call.
      if (![...ids.keys()].some((name) => isStated(json, name)))
        return { ...unknown('OTHER_IDS', [...ids.keys()].join(' or '), evidence), result };
      const amount = otherAmount({ ...ask }, { ...answer.data });
      if (amount !== null) return { ...unknown('OTHER_AMOUNT', amount, evidence), result };
      return { ...verdict, answer: answer.data as Answers[O], result, evidence };
    }
  }
};

const isStated = (json: JsonObject, name: string): boolean => {
  const value = json[name];
  return value !== undefined && value !== null && value !== '';
};

/** The name of an amount that is stated, and not as it was asked; null for none. */
const otherAmount = (ask: Amounts, answer: Amounts): string | null =>
  AMOUNTS.find((name) => {
    const [asked, stated] = [ask[name] ?? null, answer[name] ?? null];
    if (asked === null || stated === null) return false;
    return asked.currency !== stated.currency || asked.value !== stated.value;
  }) ?? null;

const AMOUNTS = ['captureAmount', 'refundAmount'] as const;
type Amounts = Readonly<Partial<Record<(typeof AMOUNTS)[number], Amount | null>> & Record<string, unknown>>;

const pathOf = ({
  issues: [issue],
}: {
  readonly issues: readonly { readonly path: readonly PropertyKey[] }[];
}): string => issue?.path.map(String).join('.') ?? '';
