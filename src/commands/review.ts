import { Option } from 'commander';
import type { z } from 'zod';
import { decision as schema } from '../http/admin/said.ts';
import { REVIEW_DECISIONS, type ReviewDecision } from '../order/review.ts';
import type { Order } from '../order/order.ts';
import type { ReviewResult, WithdrawResult } from '../store/store.ts';
import { CommandError, UsageError } from './failure.ts';
import { clientOption, jsonOption, wholeNumber } from './options.ts';
import { orderDetails } from './order-view.ts';
import { said } from './said.ts';
import { type AddCommand, printJson } from './shell.ts';
import { orderNamed, severalOrders, withStore } from './stored.ts';

interface ReviewOptions {
  readonly decision?: ReviewDecision;
  readonly revision?: number;
  readonly note?: string;
  readonly withdraw?: true;
  readonly client?: string;
  readonly json?: true;
}

export const addReview: AddCommand = (program, shell) => {
  program
    .command('review')
    .summary('decide what becomes of an order, or take that back')
    .description(
      'Settles what needs a person: FULFIL ships a CAPTURED order in spite of its attention, CLOSE ends it. What is settled is the attention that the order has at the revision that you saw (`paynotify orders <id>` shows it); new attention opens the order again.',
    )
    .argument('<id>', 'a paymentId or a paymentRequestId')
    .addOption(new Option('--decision <decision>', 'what is decided').choices(REVIEW_DECISIONS))
    .option('--revision <n>', 'the revision of the order that you saw', wholeNumber(0, 10 ** 15 - 1))
    .option('--note <text>', 'why, for those who look later')
    .addOption(new Option('--withdraw', 'take the review back').conflicts(['decision', 'revision', 'note']))
    .addOption(clientOption())
    .addOption(jsonOption())
    .action(async (id: string, options: ReviewOptions) => {
      if (options.withdraw !== true && (options.decision === undefined || options.revision === undefined))
        throw new UsageError('a review needs --decision and --revision; --withdraw takes one back');
      const decided = options.withdraw === true ? null : decisionIn(options);
      const order = await withStore(shell, async (store) => {
        const { clientId } = await orderNamed(store, { id, client: options.client, env: shell.env });
        const result =
          decided === null
            ? await store.withdrawReview({ clientId, id }, new Date())
            : await store.review({ clientId, id, ...decided }, new Date());
        return orderOf(id, result);
      });
      if (options.json === true) printJson(shell, order);
      else shell.out(orderDetails(shell.paint, order));
    });
};

const decisionIn = (options: ReviewOptions): Omit<z.output<typeof schema>, 'clientId'> => {
  const { decision, revision, note } = options;
  const { clientId: _client, ...decided } = said(schema, { decision, revision, note });
  return decided;
};

const orderOf = (id: string, result: ReviewResult | WithdrawResult): Order => {
  switch (result.kind) {
    case 'reviewed':
    case 'withdrawn':
      return result.order;
    case 'unknown':
      throw new CommandError(`there is no order ${id}`);
    case 'no review':
      throw new CommandError(`there is no review of ${id}`);
    case 'ambiguous':
      throw new CommandError(severalOrders(id, result.orders));
    case 'outdated':
      throw new CommandError(
        `this is not the order that you saw: its revision is ${result.order.revision} now; look at it again, and decide with that revision`,
      );
    case 'not captured':
      throw new CommandError(
        `FULFIL needs an order that is CAPTURED, and this one is ${result.order.status}: wait for the money, or decide CLOSE`,
      );
  }
};
