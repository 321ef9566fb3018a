import type { PaymentStatement } from '../../src/order/statement.ts';
import type { Letter } from './post.ts';

/* The truth about a payment, which only the acquirer knows. Amounts count the smallest unit. */

/** How a method is paid, and what its notifications show of it. */
export interface Method {
  readonly name: string;
  /** Its success is only an authorization. */
  readonly isCaptured: boolean;
  readonly shown: Pick<PaymentStatement, 'paymentMethodType' | 'pspName' | 'hasResultInfo' | 'acquirerInfo'>;
}

export const METHODS: readonly [Method, ...Method[]] = [
  { name: 'CARD', isCaptured: true, shown: { paymentMethodType: 'CARD', hasResultInfo: true } },
  { name: 'CARD', isCaptured: true, shown: { hasResultInfo: true, acquirerInfo: { acquirerName: '2C2P' } } },
  { name: 'GOOGLEPAY', isCaptured: true, shown: { paymentMethodType: 'Google Pay' } },
  { name: 'PAYPAL', isCaptured: true, shown: { acquirerInfo: { acquirerName: 'PayPal' } } },
  { name: 'KLARNA', isCaptured: true, shown: { paymentMethodType: 'KLARNA' } },
  { name: 'GCASH', isCaptured: false, shown: { paymentMethodType: 'GCASH' } },
  { name: 'TNG', isCaptured: false, shown: { pspName: 'TNG' } },
  { name: 'GRABPAY_SG', isCaptured: false, shown: { paymentMethodType: 'GRABPAY_SG', hasResultInfo: true } },
  { name: 'NEWPAY', isCaptured: false, shown: {} },
];

/** Money that went back to the buyer. */
export interface Return {
  readonly amount: number;
  /** Whether what is stored says so: notified and joined, or registered. */
  readonly isTold: () => boolean;
}

export interface DisputeCase {
  readonly disputeId: string;
  isOpen: boolean;
  /** They say that the money is frozen. */
  readonly opening: Letter[];
}

/** OPEN: the buyer has not paid yet. */
export type PaymentState = 'OPEN' | 'PAID' | 'FAILED' | 'CANCELLED';

export interface Payment {
  readonly paymentId: string;
  readonly paymentRequestId: string;
  readonly method: Method;
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  readonly placedFor: number;
  /** What may be captured in all; of a method without capture, what is paid. */
  authorized: number;
  state: PaymentState;
  /** Nothing can be captured any more, and why. */
  gone: string | null;
  /** Result by `captureRequestId`: F is final, and S counts once. */
  readonly captures: Map<string, 'S' | 'F'>;
  /** What came in. */
  received: number;
  /** A success that states another amount. */
  misstated: { readonly letter: Letter; readonly amount: number } | null;
  readonly returns: Return[];
  readonly disputes: DisputeCase[];
  /** The next captures fail with this code. */
  trouble: { readonly code: string; times: number } | null;
  /** The acquirer has a capture of its own still to make. */
  capturesItself: boolean;
}

/** What of it is still with the merchant. */
export const held = ({ received, returns }: Payment): number =>
  returns.reduce((sum, { amount }) => sum - amount, received);

/**
 * The same, as far as what is stored tells: of what went back only what it knows of, and of two amounts that are stated
 * as paid the larger one.
 */
export const heldAsTold = ({ received, misstated, method, returns }: Payment): number => {
  const paid =
    !method.isCaptured && misstated?.letter.state === 'ARRIVED' ? Math.max(received, misstated.amount) : received;
  return returns.reduce((sum, one) => (one.isTold() ? sum - one.amount : sum), paid);
};

export const isDisputed = ({ disputes }: Payment): boolean => disputes.some(({ isOpen }) => isOpen);

const hasArrived = ({ state }: Letter): boolean => state === 'ARRIVED';

/** One is open, and what is stored tells of it. */
export const isDisputedAsTold = ({ disputes }: Payment): boolean =>
  disputes.some(({ isOpen, opening }) => isOpen && opening.some(hasArrived));
