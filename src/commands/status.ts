import { recallService } from '../upkeep/in-force.ts';
import { type CallbackLag, isLate } from '../upkeep/callbacks.ts';
import type { InquiryLag } from '../upkeep/inquiries.ts';
import { readStatus, type Status } from '../upkeep/status.ts';
import { VERSION } from '../version.ts';
import { jsonOption } from './options.ts';
import { counted, textCell, utc } from './readable.ts';
import { type AddCommand, type Paint, printJson } from './shell.ts';
import { withStore } from './stored.ts';
import { type Cell, type Pair, pairs } from './table.ts';

export const addStatus: AddCommand = (program, shell) => {
  program
    .command('status')
    .summary('show versions, configuration, keys, and what waits')
    .description(
      'Shows what the service that started last on this database runs with (no secrets), when the last notification verified, and what waits for somebody.',
    )
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const status = await withStore(shell, async (store) => await readStatus(store, await recallService(store)));
      if (json === true) printJson(shell, status);
      else shell.out(tell(shell.paint, status));
    });
};

const tell = (paint: Paint, status: Status): string => {
  const { versions, startedAt, database, rules, configuration, keys } = status;
  const { lastVerifiedAt, heldUp, backlog, moves, callbacks, inquiries } = status;
  const sections: readonly (readonly Pair[])[] = [
    [
      ['service', versions === null ? textCell(null) : `paynotify ${versions.paynotify}, Node ${versions.node}`],
      ['this command', `paynotify ${VERSION}, Node ${process.version}`],
      ['started (UTC)', textCell(startedAt && utc(startedAt))],
      ['database', database.name],
      ['schema', String(database.schema)],
      ['generation', textCell(database.generation)],
      ['rules', textCell(rules && `number ${rules.number}: ${JSON.stringify(rules.rules)}`)],
    ],
    [
      ['last verified (UTC)', textCell(lastVerifiedAt && utc(lastVerifiedAt))],
      ...(heldUp === null ? [] : [['change feed', heldUpCell(heldUp)] as const]),
      ['FAILED', { text: String(backlog.failed), ...(backlog.failed > 0 && { colour: 'red' }) }],
      ...(backlog.malformed === 0
        ? []
        : [['MALFORMED', { text: String(backlog.malformed), colour: 'yellow' }] as const]),
      ['under way at APO', movesCell(moves)],
      ...Object.entries(backlog.unverified).map(
        ([reason, count]) => [`unverified, ${reason}`, { text: String(count), colour: 'yellow' }] as const,
      ),
    ],
    callbacks.map((lag) => [`callbacks of ${lag.clientId}`, lagCell(lag)]),
    inquiries.map((lag) => [`inquiries of ${lag.clientId}`, inquiriesCell(lag)]),
    keys.map(({ clientId, keyVersion, fingerprint }) => [
      `key of ${clientId}`,
      `${keyVersion === null ? '' : `version ${keyVersion}, `}SHA-256 ${fingerprint}`,
    ]),
    Object.entries(configuration ?? {}).map(([name, value]) => [name, textCell(value)]),
  ];
  return sections
    .filter((rows) => rows.length > 0)
    .map((rows) => pairs(paint, rows))
    .join('\n\n');
};

const movesCell = ({ underWay, since }: Status['moves']): Cell =>
  since === null
    ? { text: 'nothing' }
    : { text: `${underWay} of captures, cancels and refunds, since ${utc(since)}`, colour: 'yellow' };

const heldUpCell = ({ since, by }: NonNullable<Status['heldUp']>): Cell => ({
  text: `held up since ${utc(since)}, callbacks too, by ${by ?? 'a transaction that has just ended'}`,
  colour: 'red',
});

/** `paynotify callbacks` says more. */
const lagCell = (lag: CallbackLag): Cell => {
  const { origin, waiting, waitingSince, why } = lag;
  if (waitingSince === null) return { text: `${origin}, nothing waits` };
  const said = `${origin}, ${counted(waiting, 'order')} waiting, since ${utc(waitingSince)}`;
  return { text: why === null ? said : `${said}: ${why}`, colour: isLate(lag) ? 'red' : 'yellow' };
};

/** `paynotify why ID` says what one order's are. */
const inquiriesCell = ({ due, dueSince, planned, nextAt, stopped, heldBack }: InquiryLag): Cell => {
  const said = [
    ...(heldBack === null ? [] : [`held back since ${utc(heldBack.since)}: ${heldBack.code}`]),
    dueSince === null ? 'none due' : `${due} due, since ${utc(dueSince)}`,
    ...(nextAt === null ? [] : [`${planned} later, next ${utc(nextAt)}`]),
    ...(stopped === 0 ? [] : [`${stopped} not asked again`]),
  ];
  return { text: said.join('; '), ...(heldBack !== null && { colour: 'red' as const }) };
};
