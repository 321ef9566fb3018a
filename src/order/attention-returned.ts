import type { Amount } from './amount.ts';
import type { AttentionCode } from './attention-code.ts';
import { about, inDoubt, type Line } from './attention-line.ts';
import { asksForDocuments, type DisputeEvidence, isJudgement, takenBy, tookMoney } from './dispute.ts';
import { type Findings, isRefunded } from './findings.ts';
import { nameOf, nameWithCode } from './movement.ts';
import { isNeverRefunded, type RefundEvidence } from './refund.ts';
import { inUnits, list, show } from './show.ts';
import { legibleTime } from './time.ts';

/** Money that went back, or may have to. */
export const RETURN_LINES = {
  OVER_REFUNDED: {
    rule: ({ hasSuccess, captures, amounts }) => {
      const { gone, paid } = amounts;
      if ((!hasSuccess && captures.length === 0) || gone <= paid) return null;
      const [more, less] = [inUnits(amounts, gone), inUnits(amounts, paid)];
      return {
        values: [more, less],
        text: `${more} was refunded or taken by disputes, and ${less} was paid. Ask APO.`,
      };
    },
    blocks: true,
    review: true,
  },
  DISPUTED: {
    rule: (findings) => {
      const disputes = findings.disputes.filter(
        (dispute) =>
          !asksForDocuments(dispute) &&
          (dispute.state === 'OPEN' || dispute.state === 'DEFENDED' || (tookMoney(dispute) && !isRefunded(findings))),
      );
      return inDoubt(
        findings,
        disputes.map(valueOf),
        () => `Disputed: ${list(disputes.map(nameDispute))}. ${adviceOn(disputes)}`,
      );
    },
    blocks: true,
    review: true,
  },
  REFUNDED: {
    rule: (findings) => {
      if (!isRefunded(findings)) return null;
      const gone = inUnits(findings.amounts, findings.amounts.gone);
      const taking = takingAll(findings).map(nameDispute);
      const asked =
        taking.length === 0 ? '' : `All of it counts as taken by ${list(taking)}: ask APO how much it was. `;
      return {
        values: [gone, ...whatTook(findings)],
        text: `Everything that was paid is gone again: ${gone}. ${asked}Ship nothing.`,
      };
    },
    blocks: true,
    review: false,
  },
  PARTIALLY_REFUNDED: {
    rule: (findings) => {
      const { gone, paid } = findings.amounts;
      if (gone === 0n || isRefunded(findings)) return null;
      const [part, all] = [inUnits(findings.amounts, gone), inUnits(findings.amounts, paid)];
      return {
        values: [part, all],
        text:
          paid === 0n
            ? `${part} was refunded or taken by disputes, and nothing is known to be paid. Ship nothing.`
            : `${part} of ${all} was refunded or taken by disputes. Ship only what is still paid for.`,
      };
    },
    blocks: false,
    review: false,
  },
  REFUND_FAILED: {
    rule: (findings) => {
      if (isRefunded(findings)) return null;
      const succeeded = findings.refunds.filter(({ status }) => status === 'SUCCEEDED');
      const failed = findings.refunds.filter(
        ({ status, amount }) =>
          status === 'FAILED' &&
          !succeeded.some((other) => amount !== null && other.amount !== null && show(other.amount) === show(amount)),
      );
      return about(failed.map(nameWithCode), (what) => `A refund failed: ${what}. ${refundAgain(failed)}`);
    },
    blocks: false,
    review: false,
  },
  DOCUMENTS_REQUESTED: {
    rule: ({ disputes }) => {
      const open = disputes.filter((dispute) => asksForDocuments(dispute) && dispute.state === 'OPEN');
      return about(
        open.map(({ disputeId }) => disputeId),
        (what) => `Documents are requested: ${what}. ${dueText(open)}Supply them in APO's dashboard.`,
      );
    },
    blocks: false,
    review: false,
  },
} satisfies Partial<Record<AttentionCode, Line>>;

/** Of one refund that turns out to be none, and another one instead, nobody has decided yet. */
const whatTook = ({ refunds, disputes }: Findings): readonly string[] => [
  ...refunds.flatMap(({ status, ids, requestIds }) =>
    status === 'SUCCEEDED' ? [[...ids, '/', ...requestIds].join(' ')] : [],
  ),
  ...disputes.filter(tookMoney).map(valueOf),
];

/** What a dispute took counts as all of it where nobody can tell how much it was, as in another currency. */
export const takingAll = ({ disputes, amounts: { currency } }: Findings): readonly DisputeEvidence[] =>
  disputes.filter((one) => tookMoney(one) && takenBy(one, currency ?? '') === null);

const judgedOf = (dispute: DisputeEvidence): Amount | null => (tookMoney(dispute) ? dispute.judged : null);

/** What a review settles. With both amounts of one that took money: which of them counts depends on the other. */
const valueOf = (dispute: DisputeEvidence): string => {
  const { disputeId, state, amount } = dispute;
  const told = [judgedOf(dispute), amount].filter((one) => one !== null);
  return [disputeId, state, ...new Set(told.map(show))].join(' ');
};

/** `D1 LOST, judged EUR 30 of EUR 100` */
const nameDispute = (dispute: DisputeEvidence): string => {
  const { disputeId, state, amount } = dispute;
  const judged = judgedOf(dispute);
  if (judged === null) return [disputeId, state, ...(amount === null ? [] : [show(amount)])].join(' ');
  return `${disputeId} ${state}, judged ${show(judged)}${amount === null ? '' : ` of ${show(amount)}`}`;
};

/** What to do after refunds that failed, by their codes. */
const refundAgain = (failed: readonly RefundEvidence[]): string => {
  const never = failed.filter(({ statements }) => isNeverRefunded(statements[0].result));
  return [
    ...(never.length === 0
      ? []
      : [`No other try of ${list(never.map(nameOf))} succeeds: ask APO how else to give the money back.`]),
    ...(never.length === failed.length
      ? []
      : [`Refund ${never.length === 0 ? '' : 'the rest '}again under a new refundRequestId, or ask APO.`]),
  ].join(' ');
};

const dueText = (disputes: readonly DisputeEvidence[]): string => {
  const dues = disputes.flatMap(
    ({ statements }) => statements.find(({ dueTime }) => dueTime !== undefined)?.dueTime ?? [],
  );
  return dues.length === 0 ? '' : `Due ${list(dues.map(legibleTime))}. `;
};

const isUrgent = ({ statements }: DisputeEvidence): boolean =>
  statements.some(({ notificationType }) => notificationType === 'DEFENSE_DUE_ALERT');

/** A judgement whose result is not known leaves a dispute open. */
const isJudged = ({ statements }: DisputeEvidence): boolean => statements.some(isJudgement);

const resultsOf = (judged: readonly DisputeEvidence[]): string => {
  const results = judged.flatMap(({ statements }) => statements.flatMap(({ judgedResult }) => judgedResult ?? []));
  return results.length === 0 ? ' without a result' : ` ${list([...new Set(results)])}`;
};

const adviceOn = (disputes: readonly DisputeEvidence[]): string => {
  const open = disputes.filter((one) => one.state === 'OPEN' && !isJudged(one));
  const judged = disputes.filter((one) => one.state === 'OPEN' && isJudged(one));
  return [
    ...(open.some(isUrgent) ? ['APO warns that the time to defend it is nearly over.'] : []),
    ...(open.length > 0
      ? [`${dueText(open)}Do not ship; defend it in APO's dashboard where that is still possible, or accept it.`]
      : []),
    ...(judged.length > 0
      ? [`Do not ship; it is judged${resultsOf(judged)}, and what that means is not known: ask APO what it took.`]
      : []),
    ...(disputes.some(({ state }) => state === 'DEFENDED') ? ['Do not ship before it is judged.'] : []),
    ...(disputes.some(tookMoney) ? ['What it took is gone: decide by a review what is shipped.'] : []),
  ].join(' ');
};
