import { hash } from 'node:crypto';
import type { Facts } from '../antom/notification.ts';
import type { Handlers } from '../handlers/index.ts';
import { toAttention } from '../order/attention.ts';
import { type DerivedOrder, deriveOrder, type OrderRules } from '../order/order.ts';
import type { Registration } from '../order/registration.ts';
import type { Statement } from '../order/statement.ts';
import type { Outcome } from './store.ts';

/** What orders are derived by; raise the number when a rule changes, and every order is rebuilt at the next start. */
const DERIVATION = 1;

/** What decides how orders read besides their facts; orders that were derived under another are rebuilt. */
export const derivationName = ({ captureRequired, captureMode, production }: OrderRules): string =>
  JSON.stringify([DERIVATION, captureRequired, captureMode, production]);

/** One stored notification that names a payment, as far as its order is concerned. */
export interface EvidenceRow {
  /** SHA-256 of the body, lower-case hex. */
  readonly bodyDigest: string;
  readonly notifyType: string;
  readonly outcome: Outcome;
  /** Null where the notification could not be read. */
  readonly facts: Facts | null;
}

/** All that is stored about one order. */
export interface StoredEvidence {
  readonly clientId: string;
  readonly paymentId: string | null;
  readonly rows: readonly EvidenceRow[];
  readonly registrations: readonly Registration[];
  readonly sharesIdentity: boolean;
}

export interface Projection {
  /** Null while nothing makes an order: no applied notification and no registration. */
  readonly order: DerivedOrder | null;
  /** Digests of the notifications whose handler failed: a fault of ours. */
  readonly failed: ReadonlySet<string>;
}

/** How notifications become orders: the handlers and the rules, which together with the facts decide everything. */
export interface Derivation {
  readonly handlers: Handlers;
  readonly rules: OrderRules;
}

/** Derives an order from what is stored. A handler that throws fails its own notification and no other. Never throws. */
export const project = (evidence: StoredEvidence, { handlers, rules }: Derivation): Projection => {
  const failed = new Set<string>();
  const statements: Statement[] = [];
  let unreadable = false;
  for (const row of evidence.rows) {
    const statement = row.outcome === 'APPLIED' ? stateOf(row, handlers) : null;
    if (statement !== null) {
      statements.push(statement);
      continue;
    }
    unreadable = true;
    if (row.outcome === 'APPLIED') failed.add(row.bodyDigest);
  }
  if (statements.length === 0 && evidence.paymentId !== null) return { order: null, failed };
  if (statements.length === 0 && evidence.registrations.length === 0) return { order: null, failed };
  try {
    return { order: deriveOrder({ ...evidence, statements, unreadable }, rules), failed };
  } catch {
    const applied = evidence.rows.filter(({ outcome }) => outcome === 'APPLIED');
    return { order: underivable(evidence), failed: new Set(applied.map(({ bodyDigest }) => bodyDigest)) };
  }
};

const stateOf = ({ facts, bodyDigest, notifyType }: EvidenceRow, handlers: Handlers): Statement | null => {
  try {
    return facts === null ? null : (handlers.get(notifyType)?.stateOf({ facts, bodyDigest }) ?? null);
  } catch {
    return null;
  }
};

/** Deriving itself failed, a fault of ours: the order exists, is not fulfillable, and a person is told. */
export const underivable = ({ clientId, paymentId }: StoredEvidence): DerivedOrder => ({
  clientId,
  paymentId,
  paymentRequestId: null,
  referenceOrderId: null,
  status: 'PENDING',
  fulfillable: false,
  nextAction: 'REVIEW',
  paymentAmount: null,
  capturedAmount: null,
  expectedAmount: null,
  result: null,
  paymentTime: null,
  authorizationExpiresAt: null,
  acquirerInfo: null,
  acquirerReferenceNo: null,
  captures: [],
  attention: [toAttention('UNREADABLE_NOTIFICATION')],
});

/** Tells whether any field of an order changed: 16 bytes of the SHA-256 of its JSON. */
export const digestOf = (order: DerivedOrder): Buffer =>
  Buffer.from(hash('sha256', JSON.stringify(order), 'hex').slice(0, 32), 'hex');

/** By which identifiers a notification joins payments together; each is looked up to find contradictions. */
export interface Links {
  readonly paymentRequestId: string | null;
  readonly captureId: string | null;
}

/** A `paymentRequestId` inside a capture's notification is ignored, and so is a `captureId` inside a payment's. */
export const linksOf = (notifyType: string, facts: Facts, handlers: Handlers): Links => {
  const about = handlers.get(notifyType)?.about;
  return {
    paymentRequestId: about === 'payment' ? (facts.paymentRequestId ?? null) : null,
    captureId: about === 'capture' ? (facts.captureId ?? null) : null,
  };
};
