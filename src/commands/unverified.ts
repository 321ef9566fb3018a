import { Option } from 'commander';
import { UNVERIFIED_REASONS, type UnverifiedReason } from '../antom/signature.ts';
import type { Diagnosed } from '../antom/diagnosis.ts';
import { wholeUnverified } from '../http/admin/whole.ts';
import type { Store, StoredUnverified, UnverifiedSummary } from '../store/store.ts';
import { CommandError, UsageError } from './failure.ts';
import { diagnosisInForce } from './in-force.ts';
import { checkId } from './notifications.ts';
import { assertNoneOf, cursorOption, jsonOption, limitOption, type PageOptions } from './options.ts';
import { printPage } from './page.ts';
import { checkPurgeOptions, purge, type PurgeOptions, purgeOptions } from './purge.ts';
import { textCell, utc } from './readable.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { withStore } from './stored.ts';
import { type Pair, pairs, printableLines, type Row, table } from './table.ts';

interface UnverifiedOptions extends Omit<PageOptions, 'client'>, PurgeOptions {
  readonly reason?: UnverifiedReason;
  readonly raw?: true;
}

export const addUnverified: AddCommand = (program, shell) => {
  const command = program.command('unverified');
  for (const option of purgeOptions()) command.addOption(option);
  command
    .summary('list the requests that failed verification, show one, or purge them')
    .description(
      'Lists the stored requests that failed verification, newest first, or shows one with its headers and body. None of them touched an order.',
    )
    .argument('[id]', "a request's id")
    .addOption(new Option('--reason <reason>', 'only for this reason').choices(UNVERIFIED_REASONS))
    .addOption(new Option('--raw', "write one request's body to standard output, byte for byte").conflicts('json'))
    .addOption(limitOption())
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action(async (id: string | undefined, options: UnverifiedOptions) => {
      if (id !== undefined && options.purge !== undefined)
        throw new UsageError('--purge removes all of one reason: leave the id out');
      checkPurgeOptions(options);
      if (id === undefined && options.raw === true) throw new UsageError('--raw needs the id of a request');
      if (id !== undefined) {
        assertNoneOf(options, ['reason', 'cursor']);
        checkId(id);
      }
      await withStore(shell, async (store) => {
        if (options.purge !== undefined) await purge(store, { reason: options.purge, options, shell });
        else if (id === undefined) await listUnverified(store, { options, shell });
        else await showUnverified(store, { id, options, shell });
      });
    });
};

interface Asked {
  readonly options: UnverifiedOptions;
  readonly shell: Shell;
}

const HEADER = ['ID', 'REASON', 'DIAGNOSIS', 'DELIVERIES', 'BYTES', 'FIRST RECEIVED (UTC)', 'LAST RECEIVED (UTC)'];

const listUnverified = async (store: Store, { options, shell }: Asked): Promise<void> => {
  const { reason = null, limit, cursor = null, json } = options;
  const page = await store.listUnverified(reason, { limit, cursor });
  if (json === true) printJson(shell, page);
  else
    printPage(shell, page, {
      none: reason === null && cursor === null ? 'No unverified requests.' : 'No unverified requests like that.',
      toTable: (items) => table(shell.paint, HEADER, items.map(summaryRow)),
    });
};

const summaryRow = (one: UnverifiedSummary): Row => [
  one.id,
  { text: one.reason, colour: 'yellow' },
  textCell(one.diagnosis?.code),
  String(one.deliveries),
  String(one.bytes),
  utc(one.firstReceivedAt),
  utc(one.lastReceivedAt),
];

const showUnverified = async (store: Store, { id, options, shell }: Asked & { readonly id: string }): Promise<void> => {
  const stored = await store.findUnverified(id);
  if (stored === null) throw new CommandError(`there is no unverified request ${id}`);
  if (options.raw === true) {
    shell.bytes(stored.request.body);
    return;
  }
  const diagnosis = await diagnosisInForce(shell.env, store, stored);
  if (options.json === true) printJson(shell, wholeUnverified(stored, diagnosis));
  else shell.out(details(shell, stored, diagnosis));
};

const details = ({ paint }: Shell, { request, ...stored }: StoredUnverified, diagnosis: Diagnosed | null): string =>
  [
    pairs(paint, [
      ['id', stored.id],
      ['reason', { text: stored.reason, colour: 'yellow' }],
      ['diagnosis', textCell(diagnosis?.code, 'yellow')],
      ['deliveries', String(stored.deliveries)],
      ['first received (UTC)', utc(stored.firstReceivedAt)],
      ['last received (UTC)', utc(stored.lastReceivedAt)],
    ]),
    diagnosis?.message ?? 'It has no diagnosis yet: a service makes it, and this environment configures no keys.',
    pairs(paint, [
      ['request', `${request.method} ${request.target}`],
      ...everyOccurrence('client-id', request.clientIds),
      ...everyOccurrence('request-time', request.requestTimes),
      ...everyOccurrence('signature', request.signatures),
    ]),
    printableLines(Buffer.from(request.body).toString('utf8')),
  ].join('\n\n');

const everyOccurrence = (name: string, values: readonly string[]): readonly Pair[] =>
  (values.length === 0 ? [null] : values).map((value) => [name, textCell(value)]);
