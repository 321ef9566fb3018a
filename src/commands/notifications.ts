import { Option } from 'commander';
import { ConfigError, type Environment } from '../config.ts';
import { wholeNotification } from '../http/admin/whole.ts';
import { type Kind, KINDS, type Outcome, OUTCOMES } from '../order/reading.ts';
import type { NotificationSummary, Store, StoredNotification } from '../store/store.ts';
import { verifiesNow } from '../upkeep/verify-again.ts';
import { CommandError, UsageError } from './failure.ts';
import { trustInForce } from './in-force.ts';
import {
  assertNoneOf,
  clientOption,
  cursorOption,
  identifierText,
  jsonOption,
  limitOption,
  type PageOptions,
} from './options.ts';
import { printPage } from './page.ts';
import { askedText, outcomeCell, textCell, utc } from './readable.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { candidates, only, withStore } from './stored.ts';
import { type Cell, pairs, printableLines, type Row, table } from './table.ts';

interface NotificationsOptions extends PageOptions {
  readonly kind?: Kind;
  readonly outcome?: Outcome;
  readonly id?: string;
  readonly raw?: true;
}

export const addNotifications: AddCommand = (program, shell) => {
  program
    .command('notifications')
    .summary('list the stored notifications, or show one')
    .description('Lists the verified notifications, newest first, or shows one with its headers and body.')
    .argument('[id]', "a notification's id: the SHA-256 of its body, in hex")
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(KINDS))
    .addOption(new Option('--outcome <outcome>', 'only with this outcome').choices(OUTCOMES))
    .option('--id <identifier>', 'only those that state this paymentId, refundRequestId, disputeId, …', identifierText)
    .addOption(new Option('--raw', "write one notification's body to standard output, byte for byte").conflicts('json'))
    .addOption(clientOption())
    .addOption(limitOption())
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action(async (id: string | undefined, options: NotificationsOptions) => {
      if (id === undefined && options.raw === true) throw new UsageError('--raw needs the id of a notification');
      if (id !== undefined) {
        assertNoneOf(options, ['kind', 'outcome', 'id', 'cursor']);
        checkId(id);
      }
      await withStore(shell, async (store) => {
        if (id === undefined) await listNotifications(store, { options, shell });
        else await showNotification(store, { id, options, shell });
      });
    });
};

const listNotifications = async (
  store: Store,
  { options, shell }: { readonly options: NotificationsOptions; readonly shell: Shell },
): Promise<void> => {
  const { kind, outcome, id, limit, cursor = null, client } = options;
  const filter = { kind: kind ?? null, outcome: outcome ?? null, clientId: client ?? null, id: id ?? null };
  const page = await store.listNotifications(filter, { limit, cursor });
  if (options.json === true) printJson(shell, page);
  else
    printPage(shell, page, {
      none: [cursor, ...Object.values(filter)].every((one) => one === null)
        ? 'No notifications yet.'
        : 'No notifications like that.',
      toTable: (items) => table(shell.paint, HEADER, items.map(summaryRow)),
    });
};

const HEADER = ['ID', 'KIND', 'PAYMENT ID', 'OUTCOME', 'DELIVERIES', 'FIRST RECEIVED (UTC)', 'LAST RECEIVED (UTC)'];

const summaryRow = (one: NotificationSummary): Row => [
  one.id,
  one.kind,
  textCell(one.paymentId),
  outcomeCell(one.outcome),
  String(one.deliveries),
  utc(one.firstReceivedAt),
  utc(one.lastReceivedAt),
];

interface Sought {
  readonly id: string;
  readonly client: string | undefined;
  readonly env: Environment;
}

/** Throws a UsageError. */
export const checkId = (id: string): void => {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new UsageError('an id has 64 hexadecimal digits');
};

/** The one notification of this id; the same body may have come for several clients. */
export const findNotification = async (store: Store, { id, client, env }: Sought): Promise<StoredNotification> => {
  const clients = await candidates(env, client, store);
  const found = await Promise.all(clients.map(async (clientId) => await store.findNotification({ clientId, id })));
  return only(
    found.filter((stored) => stored !== null),
    `notification ${id}`,
  );
};

const showNotification = async (
  store: Store,
  { id, options, shell }: { readonly id: string; readonly options: NotificationsOptions; readonly shell: Shell },
): Promise<void> => {
  const stored = await findNotification(store, { id, client: options.client, env: shell.env });
  if (options.raw === true) {
    if (stored.raw === null) throw new CommandError('the bytes of this notification have been removed');
    shell.bytes(stored.raw.body);
    return;
  }
  const signatureVerifies = await verifiesUnder(shell.env, store, stored);
  if (options.json === true) printJson(shell, wholeNotification(stored, signatureVerifies ?? null));
  else shell.out(details(shell, stored, signatureVerifies));
};

/** Null where the bytes are gone, undefined where no keys are known. */
const verifiesUnder = async (
  env: Environment,
  store: Store,
  stored: StoredNotification,
): Promise<boolean | null | undefined> => {
  try {
    return verifiesNow(stored, await trustInForce(env, store));
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
};

const details = ({ paint }: Shell, stored: StoredNotification, signatureVerifies: boolean | null | undefined): string =>
  [
    pairs(paint, [
      ['id', stored.id],
      ['kind', stored.kind],
      ...(stored.asked === null ? [] : [['asked', askedText(stored.asked)] as const]),
      ...stored.identifiers.map(({ name, value }) => [name, value] as const),
      ['outcome', outcomeCell(stored.outcome)],
      ['problem', textCell(stored.problem)],
      ['deliveries', String(stored.deliveries)],
      ['first received (UTC)', utc(stored.firstReceivedAt)],
      ['last received (UTC)', utc(stored.lastReceivedAt)],
      ['verifies now', verdict(signatureVerifies)],
    ]),
    ...rawDetails(paint, stored),
  ].join('\n\n');

const rawDetails = (paint: Shell['paint'], { raw, clientId, asked }: StoredNotification): readonly string[] =>
  raw === null
    ? [paint('dim', '(its bytes have been removed)')]
    : [
        pairs(paint, [
          ['request', `${raw.method} ${raw.target}`],
          ['client-id', clientId],
          [asked === null ? 'request-time' : 'response-time', raw.requestTime],
          ['signature', raw.signature],
        ]),
        printableLines(Buffer.from(raw.body).toString('utf8')),
      ];

const verdict = (signatureVerifies: boolean | null | undefined): Cell => {
  if (signatureVerifies === undefined) return { text: 'unknown: no keys are configured here', colour: 'dim' };
  if (signatureVerifies === null) return textCell(null);
  return signatureVerifies ? { text: 'yes', colour: 'green' } : { text: 'no', colour: 'red' };
};
