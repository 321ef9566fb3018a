import type { AttentionCode } from './attention-code.ts';
import { about, inDoubt, type Line } from './attention-line.ts';
import {
  amountsUnknown,
  contradictoryAmounts,
  contradictoryIdentities,
  contradictoryResults,
  foreignAmounts,
  knownBeside,
  mismatch,
} from './contradiction.ts';
import { problemTexts } from './evidence.ts';
import { type Amounts, hasGivenBack, paidSiblings } from './findings.ts';
import { inUnits, list, show } from './show.ts';

const onceCaptured: Line['review'] = ({ status }) => status === 'CAPTURED';

/** Whose money it is, how much, and whether it may be counted. */
export const MONEY_LINES = {
  CONTRADICTORY_RESULT: {
    rule: (findings) =>
      inDoubt(
        findings,
        contradictoryResults(findings),
        (what) =>
          `APO reported both success and failure of ${what}. Ask APO which one stands before you ship or refund.`,
      ),
    blocks: true,
    review: true,
  },
  CONTRADICTORY_AMOUNT: {
    rule: (findings) =>
      inDoubt(
        findings,
        contradictoryAmounts(findings),
        (what) => `APO stated different amounts of ${what}. Ask APO which one stands.`,
      ),
    blocks: true,
    review: true,
  },
  CONTRADICTORY_IDENTITY: {
    rule: (findings) =>
      inDoubt(
        findings,
        contradictoryIdentities(findings),
        (what) =>
          `Identifiers contradict each other: ${what}. Money may be counted twice or under the wrong order: ask APO.`,
      ),
    blocks: true,
    review: true,
  },
  AMOUNT_MISMATCH: {
    rule: (findings) => {
      const amounts = mismatch(findings);
      if (amounts === null) return null;
      const [stated, registered] = [show(amounts.stated), show(amounts.registered)];
      return {
        values: [stated, registered],
        text: `The payment is of ${stated}, and the shop registered ${registered}. Find out which one is right before you ship.`,
      };
    },
    blocks: true,
    review: true,
  },
  CURRENCY_MISMATCH: {
    rule: (findings) =>
      about(
        foreignAmounts(findings),
        (what) =>
          `${what}: another currency than the order's, ${findings.amounts.currency}. It is not counted; ask APO.`,
      ),
    blocks: true,
    review: true,
  },
  OVER_CAPTURED: {
    rule: ({ amounts }) => {
      const { captured, due } = amounts;
      if (captured === null || due === null || captured.value <= due.value) return null;
      return {
        values: [show(captured), show(due)],
        text: `${show(captured)} was captured, more than the ${show(due)} that is due. ${refundOf(captured.value - due.value, amounts)}`,
      };
    },
    blocks: true,
    review: true,
  },
  AMOUNT_UNKNOWN: {
    rule: (findings) => {
      const unknown = amountsUnknown(findings);
      if (unknown.length === 0) return null;
      const known = knownBeside(findings);
      const told = known.length === 0 ? '' : ` Known is: ${list(known)}.`;
      return {
        values: [...unknown, ...known],
        text: `APO reported the success of ${list(unknown)} without an amount above zero: ask how much it was.${told}`,
      };
    },
    blocks: true,
    review: onceCaptured,
  },
  UNREADABLE_NOTIFICATION: {
    rule: ({ evidence: { problems } }) =>
      problems.length === 0
        ? null
        : {
            values: problems.map(({ digest }) => digest).sort(),
            text: `A notification of this order could not be read or applied: ${list(problemTexts(problems))} Look it up by any of its ids. Ask APO what it says and decide by a review, or redrive it once it can be read.`,
          },
    blocks: true,
    review: true,
  },
  DUPLICATE_PAYMENT: {
    rule: (findings) =>
      about(
        paidSiblings(findings).map(
          ({ paymentId, review }) =>
            `payment ${paymentId}${review?.decision === 'FULFIL' ? ', which a review fulfils' : ''}`,
        ),
        (what) =>
          `The shop order was paid or authorized more than once: ${what} too. Ship it once, and refund or cancel the other payment, unless each paid a part of it: then decide by a review.`,
      ),
    blocks: true,
    review: true,
  },
  CANCELLED_BUT_CAPTURED: {
    rule: (findings) => {
      const { registration, cancelledByInquiry, succeeded, amounts } = findings;
      const isRegistered = registration?.cancelled === true;
      if (!(isRegistered || cancelledByInquiry) || succeeded.length === 0 || hasGivenBack(findings)) return null;
      const captured = amounts.captured === null ? 'money' : show(amounts.captured);
      const way = cancelledByInquiry ? 'ask APO which one stands' : 'take the cancellation back';
      return {
        values: [captured, ...(isRegistered ? ['by the shop'] : []), ...(cancelledByInquiry ? ['by APO'] : [])],
        text: `The payment was cancelled, and ${captured} was captured all the same. Refund it, or ${way}.`,
      };
    },
    blocks: true,
    review: true,
  },
  UNREGISTERED: {
    rule: ({ rules, registration }) =>
      rules.requireRegistration && registration === null
        ? {
            values: [],
            text: 'No registration joins this payment. Register what the shop expects under its paymentRequestId.',
          }
        : null,
    blocks: true,
    review: onceCaptured,
  },
  SANDBOX: {
    rule: ({ rules, evidence }) =>
      rules.production && evidence.clientId.startsWith('SANDBOX_')
        ? {
            values: [],
            text: 'Play money: the client is of the sandbox, and NODE_ENV is production. Ship nothing. If this installation is to test, set NODE_ENV=development.',
          }
        : null,
    blocks: true,
    review: false,
  },
} satisfies Partial<Record<AttentionCode, Line>>;

/** What to do about money that is too much, some of which may be gone again. */
const refundOf = (difference: bigint, amounts: Amounts): string => {
  const { gone } = amounts;
  if (gone === 0n) return 'Refund the difference, or ask APO.';
  const rest =
    gone < difference
      ? `Refund the ${inUnits(amounts, difference - gone)} that is left of the difference, or ask APO.`
      : 'Nothing of the difference is left to refund: decide by a review what is shipped.';
  return `${inUnits(amounts, gone)} was refunded or taken by disputes. ${rest}`;
};
