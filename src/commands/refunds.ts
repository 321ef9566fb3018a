import { Option } from 'commander';
import type { ListedRefund, StoredRefundRegistration } from '../store/store.ts';
import { clientOption, cursorOption, jsonOption, limitOption, type PageOptions } from './options.ts';
import { printPage } from './page.ts';
import { amountCell, MOVEMENT_COLOURS, textCell, utc } from './readable.ts';
import { type AddCommand, type Paint, printJson } from './shell.ts';
import { pageOfClient, withStore } from './stored.ts';
import { type Row, table } from './table.ts';

interface RefundsOptions extends PageOptions {
  readonly joined?: true;
  readonly unjoined?: true;
}

export const addRefunds: AddCommand = (program, shell) => {
  program
    .command('refunds')
    .summary('list the refunds')
    .description(
      'Lists the refunds, the one that was notified of last first, with the payments that they join. A refund joins a payment that it names, or the one that `paynotify register` or the API gave for its refundRequestId.',
    )
    .addOption(new Option('--unjoined', 'only those that name no known payment').conflicts('joined'))
    .option('--joined', 'only those that join a payment')
    .addOption(clientOption())
    .addOption(limitOption())
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action(async (options: RefundsOptions) => {
      const { limit, cursor = null, client } = options;
      const page = await withStore(
        shell,
        async (store) =>
          await pageOfClient(async (request) => await store.listRefunds({ joined: joinedIn(options) }, request), {
            limit,
            cursor,
            client,
          }),
      );
      if (options.json === true) printJson(shell, page);
      else
        printPage(shell, page, {
          none: [joinedIn(options), cursor, client ?? null].every((one) => one === null)
            ? 'No refunds yet.'
            : 'No refunds like that.',
          toTable: (items) => refundTable(shell.paint, items),
        });
    });
};

const joinedIn = ({ joined, unjoined }: RefundsOptions): boolean | null => {
  if (unjoined === true) return false;
  return joined ?? null;
};

const HEADER = [
  'REFUND ID',
  'REFUND REQUEST ID',
  'STATUS',
  'AMOUNT',
  'PAYMENT ID',
  'REGISTERED FOR',
  'FIRST RECEIVED (UTC)',
];

const refundTable = (paint: Paint, refunds: readonly ListedRefund[]): string => {
  const severalClients = new Set(refunds.map(({ clientId }) => clientId)).size > 1;
  const rows = refunds.map((refund) => [...(severalClients ? [refund.clientId] : []), ...refundRow(refund)]);
  return table(paint, severalClients ? ['CLIENT', ...HEADER] : HEADER, rows);
};

const refundRow = (refund: ListedRefund): Row => [
  textCell(refund.refundId),
  textCell(refund.refundRequestId),
  textCell(refund.status, refund.status === null ? undefined : MOVEMENT_COLOURS[refund.status]),
  amountCell(refund.amount),
  textCell(refund.paymentIds.join(' ')),
  textCell(refund.registration && paymentOf(refund.registration)),
  utc(refund.firstReceivedAt),
];

/** The payment that a refund was registered for, by the id that was given. */
const paymentOf = ({ paymentId, paymentRequestId }: StoredRefundRegistration): string | null =>
  paymentId ?? paymentRequestId;
