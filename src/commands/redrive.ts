import { Option } from 'commander';
import { handlers } from '../handlers/index.ts';
import { type Outcome, OUTCOMES } from '../order/reading.ts';
import type { Store } from '../store/store.ts';
import { createRedriving, type RedriveReport, type RedriveResult } from '../upkeep/redrive.ts';
import { CommandError, UsageError } from './failure.ts';
import { checkId, findNotification } from './notifications.ts';
import { clientOption, jsonOption } from './options.ts';
import { counted, outcomeCell } from './readable.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { withStore } from './stored.ts';
import { pairs } from './table.ts';

interface RedriveOptions {
  readonly id?: string;
  readonly outcome?: Outcome;
  readonly all?: true;
  readonly client?: string;
  readonly json?: true;
}

export const addRedrive: AddCommand = (program, shell) => {
  program
    .command('redrive')
    .summary('read stored notifications again and apply them')
    .description(
      'Reads stored notifications again and applies them, in short transactions; having been applied before never stops it. Exit code 1 if one FAILED.',
    )
    .addOption(new Option('--id <id>', 'this notification').conflicts(['outcome', 'all']))
    .addOption(new Option('--outcome <outcome>', 'all with this outcome').choices(OUTCOMES).conflicts('all'))
    .option('--all', 'all of them')
    .addOption(clientOption())
    .addOption(jsonOption())
    .action(async (options: RedriveOptions) => {
      const { id, outcome, all, client } = options;
      if (id === undefined && outcome === undefined && all === undefined)
        throw new UsageError('say which: --id, --outcome or --all');
      if (id === undefined && client !== undefined) throw new UsageError('--client goes with --id');
      if (id !== undefined) checkId(id);
      await withStore(shell, async (store) => {
        if (id === undefined) await redriveAll(store, { outcome: outcome ?? null, options, shell });
        else await redriveOne(store, { id, options, shell });
      });
    });
};

interface Asked {
  readonly options: RedriveOptions;
  readonly shell: Shell;
}

const NOT_REDRIVEN: Readonly<Record<Exclude<RedriveResult['kind'], 'redriven'>, string>> = {
  'not found': 'there is no such notification',
  held: 'another replica applies this notification at this moment: try again',
  'without bytes': 'the bytes of this notification have been removed: it cannot be applied again',
};

const redriveOne = async (store: Store, { id, options, shell }: Asked & { readonly id: string }): Promise<void> => {
  const key = await findNotification(store, { id, client: options.client, env: shell.env });
  const result = await createRedriving(store, handlers).redriveOne(key);
  if (result.kind !== 'redriven') throw new CommandError(NOT_REDRIVEN[result.kind]);
  if (result.outcome === 'FAILED') shell.foundWrong();
  if (options.json === true) printJson(shell, { outcome: result.outcome });
  else shell.out(pairs(shell.paint, [['outcome', outcomeCell(result.outcome)]]));
};

const redriveAll = async (
  store: Store,
  { outcome, options, shell }: Asked & { readonly outcome: Outcome | null },
): Promise<void> => {
  const report = await createRedriving(store, handlers).redriveAll(outcome);
  if (report.outcomes.FAILED > 0) shell.foundWrong();
  if (options.json === true) printJson(shell, report);
  else printReport(report, shell);
};

const printReport = ({ redriven, outcomes, withoutBytes, held }: RedriveReport, { out, paint }: Shell): void => {
  out(`Applied ${counted(redriven, 'notification')} again.`);
  const some = OUTCOMES.filter((outcome) => outcomes[outcome] > 0);
  if (some.length > 0)
    out(
      pairs(
        paint,
        some.map((outcome) => [outcome, { ...outcomeCell(outcome), text: String(outcomes[outcome]) }]),
      ),
    );
  if (withoutBytes > 0) out(`${counted(withoutBytes, 'notification')} passed over: the bytes have been removed.`);
  if (held > 0) out(`${counted(held, 'notification')} passed over: another replica applies them at this moment.`);
};
