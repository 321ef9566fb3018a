import type { PaymentAsk, RefundInquiryAsk } from '../antom/asks.ts';
import type { CallResult, UnknownResult } from '../antom/call-result.ts';
import type { AntomClient } from '../antom/client.ts';
import { readInquiry } from '../handlers/inquiry.ts';
import type { Asked } from '../order/asked.ts';
import { type InquiryDelivery, type RecordedInquiry, type Store, StoreRejectedError } from '../store/store.ts';

/** What an inquiry came to. */
export interface Inquired {
  /** `STOPPED`: given up because this process ends. */
  readonly outcome: 'OK' | 'FAILED' | 'UNKNOWN' | 'STOPPED';
  /** APO's code, or why there is none. */
  readonly code: string;
  /** `configuration`: no inquiry of this client will do better. `outage`: the API did not answer as it should. */
  readonly trouble: 'configuration' | 'outage' | null;
  /** APO knows of nothing by this id, or not yet. */
  readonly isNotFound: boolean;
  /** APO refuses the question for a reason of its own: asked again, it does the same. */
  readonly isRefused: boolean;
  /** Null where nothing was stored: there was no answer with APO's signature. */
  readonly recorded: RecordedInquiry | null;
}

interface Inquiring {
  readonly client: AntomClient;
  readonly asked: Asked;
  readonly signal?: AbortSignal | undefined;
}

/** Asks APO, and stores the answer before anything is concluded. Rejects where the store cannot be written. */
export const inquire = async (
  store: Pick<Store, 'recordInquiry'>,
  { client, asked, signal }: Inquiring,
): Promise<Inquired> => {
  const result = await ask(client, asked, signal);
  const { received, verified } = result.evidence;
  // A signed answer to another question says nothing about this one.
  const isOurs = !(result.outcome === 'UNKNOWN' && result.reason === 'OTHER_IDS');
  const recorded =
    verified === null || received === null || !isOurs
      ? null
      : await record(store, { read: readInquiry(verified, asked), receivedAt: new Date(received.receivedAt) });
  return { ...meaningOf(result), recorded };
};

const ask = async (client: AntomClient, asked: Asked, signal?: AbortSignal): Promise<CallResult<unknown>> => {
  const { operation, ...ids } = asked;
  // Rest loses which ids belong to which operation.
  return operation === 'inquiryPayment'
    ? await client.inquiryPayment(ids as PaymentAsk, signal)
    : await client.inquiryRefund(ids as RefundInquiryAsk, signal);
};

const record = async (store: Pick<Store, 'recordInquiry'>, delivery: InquiryDelivery): Promise<RecordedInquiry> => {
  try {
    return await store.recordInquiry(delivery);
  } catch (error) {
    if (!(error instanceof StoreRejectedError)) throw error;
    return await store.recordInquiry({ ...delivery, inapplicable: true });
  }
};

const meaningOf = (result: CallResult<unknown>): Omit<Inquired, 'recorded'> => {
  switch (result.outcome) {
    case 'OK':
      return { outcome: 'OK', code: 'SUCCESS', trouble: null, isNotFound: false, isRefused: false };
    case 'FAILED': {
      const { failure } = result;
      const trouble = failure === 'CONFIGURATION' ? 'configuration' : null;
      const code = result.result.resultCode ?? failure;
      const isNotFound = failure === 'NOT_FOUND';
      return { outcome: 'FAILED', code, trouble, isNotFound, isRefused: trouble === null && !isNotFound };
    }
    case 'UNKNOWN':
      return {
        outcome: result.reason === 'STOPPED' ? 'STOPPED' : 'UNKNOWN',
        code: codeOf(result),
        trouble: troubleOf(result),
        isNotFound: false,
        isRefused: false,
      };
  }
};

const codeOf = ({ reason, detail, result }: UnknownResult): string => {
  // Of an answer that is not believed, its code says nothing.
  if (reason === 'UNDECIDED') return result?.resultCode ?? reason;
  return detail === '' ? reason : `${reason} ${detail}`;
};

const troubleOf = ({ reason, delay }: UnknownResult): Inquired['trouble'] => {
  switch (reason) {
    case 'CONFIGURATION':
      return 'configuration';
    case 'UNDECIDED':
      // Too many calls: every further one makes it worse.
      return delay === 'BACK_OFF' ? 'outage' : null;
    case 'STOPPED':
    case 'UNREADABLE':
    case 'OTHER_IDS':
    case 'OTHER_AMOUNT':
      return null;
    case 'UNSIGNED':
    case 'UNVERIFIED':
    case 'NO_ANSWER':
    case 'TIMEOUT':
    case 'HTTP_STATUS':
    case 'TOO_LARGE':
      return 'outage';
  }
};
