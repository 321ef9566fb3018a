import type { Order } from '../order/order.ts';
import { CommandError } from './failure.ts';
import { post, say, type Signer, signPost } from './post.ts';

/** A shop that does what it is told, and no more. */
export interface Shop {
  /** Registers what it expects; the buyer pays. */
  readonly sell: (index: number) => Promise<void>;
  /** Acts on every order that wants something; resolves with how many did. */
  readonly work: () => Promise<number>;
  readonly hasShipped: (paymentRequestId: string) => boolean;
  readonly done: () => { readonly shipped: number; readonly captured: number; readonly refunded: number };
}

interface Needs {
  readonly adminUrl: URL;
  readonly apiUrl: string;
  readonly signer: Signer;
}

const METHODS = ['CARD', 'CARD', 'GCASH', 'CARD', 'PAYPAL'] as const;
const MANUAL_EVERY = 5;
const REFUNDED_EVERY = 10;
const PRICES = [120, 4_200, 1_523, 50_000] as const;

const requestIdOf = (index: number): string => `day-${String(index + 1).padStart(3, '0')}`;

export const createShop = ({ adminUrl, apiUrl, signer }: Needs): Shop => {
  const shipped = new Set<string>();
  const captured = new Set<string>();
  const refunded = new Set<string>();
  const ask = async (operation: string, body: object): Promise<boolean> =>
    await isFinal(signPost(new URL(`/ams/sandbox/api/v1/payments/${operation}`, apiUrl), toBytes(body), signer));
  const capture = async ({ paymentId, captures, remainingAmount }: Order): Promise<void> => {
    // Acting twice on one advice captures once.
    const captureRequestId = `${paymentId}-${captures.length + 1}`;
    await ask('capture', { captureRequestId, paymentId, captureAmount: remainingAmount });
    captured.add(captureRequestId);
  };
  const ship = async ({ paymentId, paymentRequestId, paymentAmount }: Order): Promise<void> => {
    shipped.add(paymentRequestId ?? '');
    if (shipped.size % REFUNDED_EVERY !== 0) return;
    const refundRequestId = `refund-${paymentRequestId}`;
    await sayOrFail(new URL(`/api/refunds/${refundRequestId}`, adminUrl), 'PUT', { paymentId });
    refunded.add(refundRequestId);
    while (!(await ask('refund', { refundRequestId, paymentId, refundAmount: paymentAmount })));
  };
  return {
    sell: async (index) => {
      const id = requestIdOf(index);
      const amount = { currency: 'JPY', value: String(PRICES[index % PRICES.length]) };
      const captureMode = index % MANUAL_EVERY === 0 ? 'MANUAL' : 'AUTOMATIC';
      const as = METHODS[index % METHODS.length];
      await sayOrFail(new URL(`/api/orders/${id}`, adminUrl), 'PUT', { amount, referenceOrderId: id, captureMode });
      await sayOrFail(new URL('/control/payments', apiUrl), 'POST', { paymentRequestId: id, amount, as, captureMode });
    },
    work: async () => {
      const toCapture = await ordersOf(adminUrl, 'CAPTURE');
      for (const order of toCapture) await capture(order);
      const toShip = (await ordersOf(adminUrl, 'FULFIL')).filter((one) => !shipped.has(one.paymentRequestId ?? ''));
      for (const order of toShip) await ship(order);
      return toCapture.length + toShip.length;
    },
    hasShipped: (paymentRequestId) => shipped.has(paymentRequestId),
    done: () => ({ shipped: shipped.size, captured: captured.size, refunded: refunded.size }),
  };
};

const toBytes = (body: object): Buffer => Buffer.from(JSON.stringify(body));

const sayOrFail = async (url: URL, method: string, body: object): Promise<void> => {
  const { answer, problem } = await say(url, { method, body: JSON.stringify(body) });
  if (answer === null || answer.status >= 300)
    throw new CommandError(`${method} ${url.href} is answered with ${answer?.status ?? problem}`);
};

const TIMEOUT_MS = 10_000;

/** What was not answered, or not well, is asked again with the same id. */
const isFinal = async (signed: Parameters<typeof post>[0]): Promise<boolean> => {
  const { answer } = await post(signed, TIMEOUT_MS);
  return answer?.status === 200 && !answer.body.includes('"UNKNOWN_EXCEPTION"');
};

const ordersOf = async (adminUrl: URL, nextAction: 'CAPTURE' | 'FULFIL'): Promise<readonly Order[]> => {
  const response = await fetch(new URL(`/api/orders?nextAction=${nextAction}&limit=1000`, adminUrl));
  return ((await response.json()) as { readonly items: readonly Order[] }).items;
};
