import { hash } from 'node:crypto';
import type { OrderEvidence, Problem, RegistrationFact } from '../../../src/order/evidence.ts';
import { identifierNamed, type IdentifierName } from '../../../src/order/identifier.ts';
import { deriveOrder, type Order } from '../../../src/order/order.ts';
import type { Reading } from '../../../src/order/reading.ts';
import type { OrderRules } from '../../../src/order/rules.ts';
import { receive } from '../../support/facts.ts';
import type { Act } from './world.ts';

/*
 * The orders of a world, by looking at all facts for each of them: which facts join which order is written down here from
 * the rules alone, without an index, a link or a batch.
 */

interface Fact {
  readonly digest: string;
  readonly reading: Reading;
  readonly paymentId: string | null;
  readonly firstReceivedAt: number;
}

interface World {
  readonly clientId: string;
  readonly facts: readonly Fact[];
  readonly registrations: readonly RegistrationFact[];
  /** By refundRequestId. */
  readonly refunds: ReadonlyMap<
    string,
    { readonly paymentId: string | null; readonly paymentRequestId: string | null }
  >;
}

const gather = (acts: readonly Act[], clientId: string): World => {
  const facts = new Map<string, Fact>();
  const registrations = new Map<string, RegistrationFact>();
  const refunds = new Map<string, { paymentId: string | null; paymentRequestId: string | null }>();
  for (const act of acts) {
    if (act.kind === 'registration') {
      const { registration, at } = act;
      const before = registrations.get(registration.paymentRequestId);
      registrations.set(registration.paymentRequestId, { ...registration, createdAt: before?.createdAt ?? at });
    } else if (act.kind === 'refund') refunds.set(act.registration.refundRequestId, act.registration);
    else
      for (const body of act.bodies) {
        const bytes = JSON.stringify(body);
        const { reading } = receive(bytes, { clientId });
        const digest = hash('sha256', bytes, 'hex');
        const paymentId = identifierNamed(reading.identifiers, 'paymentId');
        const firstReceivedAt = Math.min(act.at, facts.get(digest)?.firstReceivedAt ?? act.at);
        facts.set(digest, { digest, reading, paymentId, firstReceivedAt });
      }
  }
  return { clientId, facts: [...facts.values()], registrations: [...registrations.values()], refunds };
};

const isRead = ({ reading }: Fact): boolean => reading.outcome === 'APPLIED';

const toProblem = ({ reading, digest }: Fact): Problem => ({ digest, text: reading.problem ?? '' });

/** What a fact states under a name: in its statements where it was read, else legibly. */
const named = (fact: Fact, name: IdentifierName): readonly string[] => {
  if (!isRead(fact)) return [identifierNamed(fact.reading.identifiers, name)].filter((value) => value !== null);
  return fact.reading.statements.flatMap((statement) => {
    const value = (statement as unknown as Readonly<Record<string, string | undefined>>)[name];
    const states = name === 'paymentRequestId' ? statement.about === 'payment' : true;
    return value !== undefined && states ? [value] : [];
  });
};

const overlap = (a: readonly string[], b: readonly string[]): boolean => a.some((value) => b.includes(value));
const isRefund = ({ reading }: Fact): boolean => reading.kind === 'REFUND';

/** All facts of the refund that a fact is of. */
const sameRefund = (world: World, fact: Fact): readonly Fact[] => {
  let group: readonly Fact[] = [fact];
  for (;;) {
    const grown = world.facts.filter(
      (one) =>
        isRefund(one) &&
        group.some(
          (member) =>
            member === one ||
            overlap(named(member, 'refundId'), named(one, 'refundId')) ||
            overlap(named(member, 'refundRequestId'), named(one, 'refundRequestId')),
        ),
    );
    if (grown.length === group.length) return grown;
    group = grown;
  }
};

/** The payments that a fact of a refund is registered for. */
const registeredFor = (world: World, fact: Fact): readonly string[] =>
  named(fact, 'refundRequestId').flatMap((id) => {
    const registration = world.refunds.get(id);
    if (registration === undefined) return [];
    if (registration.paymentId !== null) return [registration.paymentId];
    return paymentIds(world).filter((paymentId) =>
      requestIds(world, paymentId).includes(registration.paymentRequestId ?? ''),
    );
  });

const paymentsOf = (world: World, fact: Fact): readonly string[] =>
  fact.paymentId === null ? registeredFor(world, fact) : [fact.paymentId];

const paymentIds = ({ facts }: World): readonly string[] => [
  ...new Set(facts.flatMap(({ paymentId }) => (paymentId === null ? [] : [paymentId]))),
];
const ownOf = ({ facts }: World, paymentId: string): readonly Fact[] =>
  facts.filter((fact) => fact.paymentId === paymentId);
const requestIds = (world: World, paymentId: string): readonly string[] => [
  ...new Set(ownOf(world, paymentId).flatMap((fact) => named(fact, 'paymentRequestId'))),
];

/** Everything that joins a payment. */
const factsOf = (world: World, paymentId: string): readonly Fact[] =>
  world.facts.filter((fact) => {
    if (fact.paymentId === paymentId) return true;
    if (isRefund(fact) && sameRefund(world, fact).some((one) => paymentsOf(world, one).includes(paymentId)))
      return true;
    return !isRead(fact) && overlap(named(fact, 'paymentRequestId'), requestIds(world, paymentId));
  });

/** Whether an identifier stands for another payment, too; or a refund for another than is registered. */
const contradictsIdentity = (world: World, paymentId: string): boolean => {
  const stated = (of: string, name: IdentifierName) =>
    ownOf(world, of)
      .filter(isRead)
      .flatMap((fact) => named(fact, name));
  const others = paymentIds(world).filter((other) => other !== paymentId);
  const isShared = (['paymentRequestId', 'captureId'] as const).some((name) =>
    others.some((other) => overlap(stated(paymentId, name), stated(other, name))),
  );
  const isRefundShared = world.facts.some((fact) => {
    if (!isRefund(fact)) return false;
    const joined = new Set(sameRefund(world, fact).flatMap((one) => paymentsOf(world, one)));
    if (joined.has(paymentId) && joined.size > 1) return true;
    const registered = registeredFor(world, fact);
    const isOfAnother = fact.paymentId !== null && registered.length > 0 && !registered.includes(fact.paymentId);
    return isOfAnother && (fact.paymentId === paymentId || registered.includes(paymentId));
  });
  return isShared || isRefundShared;
};

const registrationsOf = (world: World, paymentId: string): readonly RegistrationFact[] =>
  world.registrations.filter((one) => requestIds(world, paymentId).includes(one.paymentRequestId));

const counted = (registrations: readonly RegistrationFact[]): RegistrationFact | undefined =>
  [...registrations].sort((a, b) => (a.paymentRequestId < b.paymentRequestId ? -1 : 1))[0];

const evidenceOf = (world: World, paymentId: string, isSibling = false): OrderEvidence => {
  const facts = factsOf(world, paymentId);
  const registrations = registrationsOf(world, paymentId);
  const reference = counted(registrations)?.referenceOrderId ?? null;
  const siblings =
    reference === null || isSibling
      ? []
      : paymentIds(world).filter(
          (other) => other !== paymentId && counted(registrationsOf(world, other))?.referenceOrderId === reference,
        );
  return {
    clientId: world.clientId,
    paymentId,
    statements: facts
      .filter(isRead)
      .flatMap(({ reading, digest }) => reading.statements.map((one, place) => ({ ...one, digest, place }))),
    registrations,
    problems: facts.filter((fact) => !isRead(fact)).map(toProblem),
    sharedIdentities: contradictsIdentity(world, paymentId) ? ['an identifier'] : [],
    siblings: {
      payments: siblings.map((other) => evidenceOf(world, other, true)),
      hasLaterRegistration: world.registrations.some((one) => isLater(one, counted(registrations))),
    },
    newestAt: Math.max(...facts.map(({ firstReceivedAt }) => firstReceivedAt)),
    review: null,
  };
};

const isLater = (one: RegistrationFact, than: RegistrationFact | undefined): boolean =>
  than !== undefined &&
  than.referenceOrderId !== null &&
  one.referenceOrderId === than.referenceOrderId &&
  one.createdAt > than.createdAt;

/** The notifications that name a registration, read or not. */
const naming = (facts: readonly Fact[], { paymentRequestId }: RegistrationFact): readonly Fact[] =>
  facts.filter((fact) => named(fact, 'paymentRequestId').includes(paymentRequestId));

const shown = (
  evidence: OrderEvidence,
  rules: OrderRules,
  around: { createdAt: number; replaces: string | null },
): Order => ({
  ...deriveOrder(evidence, rules, Date.now()).order,
  revision: 0,
  replaces: around.replaces,
  createdAt: new Date(around.createdAt).toISOString(),
  updatedAt: '',
});

export const ordersOfWorld = (
  acts: readonly Act[],
  { clientId, rules }: { readonly clientId: string; readonly rules: OrderRules },
): readonly Order[] => {
  const world = gather(acts, clientId);
  const ofPayments = paymentIds(world).map((paymentId) => {
    const evidence = evidenceOf(world, paymentId);
    const facts = factsOf(world, paymentId);
    const registration = counted(evidence.registrations);
    const first = registration === undefined ? [] : naming(ownOf(world, paymentId), registration);
    const isReplaced =
      registration !== undefined && registration.createdAt <= Math.min(...first.map((one) => one.firstReceivedAt));
    return shown(evidence, rules, {
      createdAt: Math.min(
        ...facts.map(({ firstReceivedAt }) => firstReceivedAt),
        ...evidence.registrations.map(({ createdAt }) => createdAt),
      ),
      replaces: isReplaced ? registration.paymentRequestId : null,
    });
  });
  const taken = new Set(paymentIds(world).flatMap((paymentId) => requestIds(world, paymentId)));
  const placeholders = world.registrations
    .filter(({ paymentRequestId }) => !taken.has(paymentRequestId))
    .map((registration) => {
      const unreadable = naming(world.facts, registration);
      const times = unreadable.map(({ firstReceivedAt }) => firstReceivedAt);
      const evidence: OrderEvidence = {
        clientId: world.clientId,
        paymentId: null,
        statements: [],
        registrations: [registration],
        problems: unreadable.map(toProblem),
        sharedIdentities: [],
        siblings: { payments: [], hasLaterRegistration: false },
        newestAt: times.length > 0 ? Math.max(...times) : registration.createdAt,
        review: null,
      };
      return shown(evidence, rules, { createdAt: Math.min(registration.createdAt, ...times), replaces: null });
    });
  return [...ofPayments, ...placeholders];
};
