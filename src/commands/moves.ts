import type { Command } from 'commander';
import { clientsOf } from '../calling.ts';
import { ConfigError, readConfig } from '../config.ts';
import { CANCEL, captureAsked, captureToSend, refundAsked, refundToSend } from '../http/admin/said-moves.ts';
import { createMoves, type MakeMoveResult } from '../moves/moves.ts';
import type { AmountText } from '../order/amount.ts';
import type { MoveAsked } from '../order/move.ts';
import { show } from '../order/show.ts';
import type { Move } from '../store/store.ts';
import { CommandError } from './failure.ts';
import { amountText, clientOption, jsonOption } from './options.ts';
import { said } from './said.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { orderNamed, severalOrders, withStore } from './stored.ts';

interface MoveOptions {
  readonly amount?: AmountText;
  readonly requestId?: string;
  readonly captureId?: string;
  readonly last?: true;
  readonly client?: string;
  readonly json?: true;
}

const ID = 'a paymentId or a paymentRequestId';
const AMOUNT = "such as JPY:120, counting the currency's smallest unit";
const SAME_ID = 'makes a repetition the same one; made of the paymentId where absent';

export const addCapture: AddCommand = (program, shell) => {
  common(program.command('capture'), 'capture an authorized payment')
    .description('Sends a capture to APO: all that is left, or an amount. Needs ANTOM_PRIVATE_KEY.')
    .option('--amount <CUR:VALUE>', AMOUNT, amountText)
    .option('--request-id <id>', SAME_ID)
    .option(
      '--last',
      'none follows it: APO releases what is left; register what is captured in all as finalAmount before',
    )
    .action(async (id: string, options: MoveOptions) => {
      const { amount, requestId, last } = options;
      const capture = said(captureToSend, { amount, captureRequestId: requestId, isLast: last });
      await make(shell, { id, options }, captureAsked(capture));
    });
};

export const addCancel: AddCommand = (program, shell) => {
  common(program.command('cancel'), 'cancel a payment of which nothing is captured')
    .description('Sends a cancel to APO. What is captured has to be refunded instead. Needs ANTOM_PRIVATE_KEY.')
    .action(async (id: string, options: MoveOptions) => await make(shell, { id, options }, CANCEL));
};

export const addRefund: AddCommand = (program, shell) => {
  common(program.command('refund'), 'refund what has been captured')
    .description('Sends a refund to APO; its notification joins the payment by itself. Needs ANTOM_PRIVATE_KEY.')
    .requiredOption('--amount <CUR:VALUE>', AMOUNT, amountText)
    .option('--request-id <id>', SAME_ID)
    .option('--capture-id <id>', 'the capture that is given back')
    .action(async (id: string, options: MoveOptions) => {
      const { amount, requestId: refundRequestId, captureId } = options;
      const refund = said(refundToSend, { amount, refundRequestId, captureId });
      await make(shell, { id, options }, refundAsked(refund));
    });
};

const common = (command: Command, summary: string): Command =>
  command.summary(summary).argument('<id>', ID).addOption(clientOption()).addOption(jsonOption());

interface Named {
  readonly id: string;
  readonly options: MoveOptions;
}

const make = async (shell: Shell, { id, options }: Named, asked: MoveAsked): Promise<void> => {
  const clients = clientsOf(readConfig(shell.env));
  if (clients.size === 0)
    throw new ConfigError(['ANTOM_PRIVATE_KEY is needed to send anything to APO, and ANTOM_REGION with it']);
  const move = await withStore(shell, async (store) => {
    const { clientId } = await orderNamed(store, { id, client: options.client, env: shell.env });
    const { signal } = new AbortController();
    const moves = createMoves({ store, clients, signal });
    return moveOf(id, await moves.make({ ...asked, clientId, id }));
  });
  if (options.json === true) printJson(shell, move);
  else shell.out([lineOf(move), ...adviceOf(move)].join(' '));
  if (move.status === 'FAILED') shell.foundWrong();
};

const moveOf = (id: string, result: MakeMoveResult): Move => {
  switch (result.kind) {
    case 'begun':
    case 'same':
      return result.move;
    case 'conflict':
      throw new CommandError(
        `something else was sent under ${result.move.requestId} (${lineOf(result.move)}): repeat exactly that, or name another id`,
      );
    case 'refused':
      throw new CommandError(`${result.refused.reason}: ${result.refused.detail}`);
    case 'unknown':
      throw new CommandError(`there is no order ${id}`);
    case 'ambiguous':
      throw new CommandError(severalOrders(id, result.orders));
    case 'no key':
      throw new ConfigError(['there is no private key of this client: set privateKey in ANTOM_CLIENTS_FILE']);
  }
};

const USED_ID =
  '- something that paynotify does not know of was sent to APO under this id, perhaps before a restore: look at the order, reconcile it, and only then ask again';

const adviceOf = ({ status, reason }: Move): readonly string[] => {
  if (reason === 'USED_ID') return [USED_ID];
  if (status !== 'PROCESSING') return [];
  return reason === 'CONFIGURATION'
    ? ['- correct client id, key, region or contract; the service then goes on with it']
    : ['- not known yet; the service goes on with it'];
};

const lineOf = ({ kind, requestId, amount, status, resultCode, reason }: Move): string =>
  [`${kind} ${requestId}${amount === null ? '' : ` of ${show(amount)}`}: ${status}`, resultCode, reason]
    .filter((part) => part !== null)
    .join(' ');
