import { setTimeout as pause } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import type { AntomClients } from '../antom/client.ts';
import { clientsOf } from '../calling.ts';
import { ConfigError, readConfig } from '../config.ts';
import { readInstant } from '../order/time.ts';
import { WHY } from '../reconcile/due.ts';
import { createReconciling, type Made, type Reconciling } from '../reconcile/reconciling.ts';
import { requestIdOf } from '../store/order-key.ts';
import type { InquiryKey, Store } from '../store/store.ts';
import { UsageError } from './failure.ts';
import { clientOption, identifierText, jsonOption } from './options.ts';
import { createProgressBar } from './progress.ts';
import { counted, textCell } from './readable.ts';
import { type Candidate, candidatesDue, candidatesSince, candidateNamed } from './reconcile-candidates.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { withStore } from './stored.ts';
import { type Row, table } from './table.ts';

interface ReconcileOptions {
  readonly since?: Date;
  readonly dryRun?: true;
  readonly client?: string;
  readonly json?: true;
}

const HELP = `
Without an id and --since it asks about what is due now, as the service does by itself. It needs ANTOM_PRIVATE_KEY and the
other variables of the service, and keeps INQUIRIES_PER_SECOND together with it. Every answer is stored like a
notification. Exit code 1 where APO gave no answer, or something could not be asked.`;

const time = (text: string): Date => {
  const instant = readInstant(text);
  if (instant === null) throw new InvalidArgumentError('It must be a time such as 2025-11-22T10:45:03Z.');
  return new Date(instant);
};

export const addReconcile: AddCommand = (program, shell) => {
  program
    .command('reconcile')
    .summary('ask APO what became of payments, now')
    .description('Asks APO (inquiryPayment, inquiryRefund) about an order, or about all that are due or have changed.')
    .argument('[id]', 'a paymentId or a paymentRequestId', identifierText)
    .option('--since <time>', 'all orders that were registered or have changed since', time)
    .option('--dry-run', 'only list what would be asked, and why')
    .addOption(clientOption())
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (id: string | undefined, options: ReconcileOptions) => {
      if (id !== undefined && options.since !== undefined) throw new UsageError('an id or --since, not both');
      const config = readConfig(shell.env);
      if (config.api === null)
        throw new ConfigError(['ANTOM_PRIVATE_KEY is not set: without your private key APO cannot be asked']);
      await withStore(shell, async (store) => {
        const clients = clientsOf(config);
        const wanted = await gather(store, { id, options, clients, shell });
        if (options.dryRun === true) printDry(wanted, { options, shell });
        else await ask(store, wanted, { clients, perSecond: config.inquiriesPerSecond, options, shell });
      });
    });
};

interface Asked {
  readonly options: ReconcileOptions;
  readonly shell: Shell;
}

const gather = async (
  store: Store,
  { id, options, clients, shell }: Asked & { readonly id: string | undefined; readonly clients: AntomClients },
): Promise<readonly Candidate[]> => {
  const { client, since } = options;
  if (id !== undefined) return [await candidateNamed(store, { id, client, env: shell.env })];
  const clientIds = [...clients.keys()].filter((one) => client === undefined || one === client);
  if (clientIds.length === 0) throw new UsageError('--client is not one that has a private key');
  return since === undefined
    ? await candidatesDue(store, clientIds, Date.now())
    : await candidatesSince(store, clientIds, since);
};

/** An id as it is shown, under its own name. */
const idsOf = ({ clientId, about, id }: InquiryKey) => {
  if (about !== 'order') return { clientId, [about]: id };
  const paymentRequestId = requestIdOf(id);
  return paymentRequestId === null ? { clientId, paymentId: id } : { clientId, paymentRequestId };
};

const printDry = (wanted: readonly Candidate[], { options, shell }: Asked): void => {
  if (options.json === true) {
    printJson(shell, { inquiries: wanted.map(({ key, why }) => ({ ...idsOf(key), why: WHY[why] })) });
    return;
  }
  const rows = wanted.map(({ key, why }): Row => [key.clientId, key.id.trim(), WHY[why]]);
  shell.out(rows.length === 0 ? 'There is nothing to ask.' : table(shell.paint, ['CLIENT', 'ID', 'WHY'], rows));
};

interface Reply {
  readonly key: InquiryKey;
  readonly made: Made | null;
  readonly before: string | null;
  /** Of the order, once the answer is stored. */
  readonly after: string | null;
}

const ask = async (
  store: Store,
  wanted: readonly Candidate[],
  { clients, perSecond, options, shell }: Asked & { readonly clients: AntomClients; readonly perSecond: number },
): Promise<void> => {
  const replies = new Map<Candidate, Reply>();
  const reconciling = createReconciling({ store, perSecond });
  const patience = new Map([...clients.keys()].map((clientId) => [clientId, createPatience()]));
  const bar = createProgressBar(shell);
  const askAll = async (candidates: readonly Candidate[]): Promise<void> => {
    for (const candidate of candidates) {
      const { key, status } = candidate;
      bar.show({ text: 'asking APO', done: replies.size, total: wanted.length });
      const client = clients.get(key.clientId);
      const patient = patience.get(key.clientId);
      if (client === undefined || patient === undefined) throw new UsageError(`${key.clientId} has no private key`);
      const made = (await patient.goesOn()) ? await makeOne(reconciling, { key, client }) : null;
      if (made !== null) patient.note(made.inquired);
      const before = replies.get(candidate);
      if (made === null && before !== undefined) continue;
      replies.set(candidate, {
        key,
        made,
        before: status,
        after: made === null ? status : await statusNow(store, key),
      });
    }
  };
  await askAll(wanted);
  // What got no answer is asked about once more.
  await askAll(wanted.filter((one) => replies.get(one)?.made?.inquired.trouble === 'outage'));
  bar.end();
  tell([...replies.values()], { options, shell });
};

const tell = (replies: readonly Reply[], { options, shell }: Asked): void => {
  if (replies.some(({ made }) => made === null || made.inquired.outcome === 'UNKNOWN')) shell.foundWrong();
  if (options.json === true) printJson(shell, { inquiries: replies.map(toJson) });
  else printReplies(replies, shell);
};

/** How long somebody who asks by hand bears with an API that does not answer. */
interface Patience {
  /** Waits a little where it did not answer just now; false where it is given up. */
  readonly goesOn: () => Promise<boolean>;
  readonly note: (inquired: Made['inquired']) => void;
}

const TRIES = 6;
/** A single one that gets no answer is followed by the next at once. */
const BORNE = 3;
const FIRST_PAUSE_MS = 500;

/** What APO does not answer several times in a row it does not answer for the others either. */
const createPatience = (): Patience => {
  let missed = 0;
  return {
    goesOn: async () => {
      if (missed >= TRIES) return false;
      if (missed >= BORNE) await pause(FIRST_PAUSE_MS * 2 ** (missed - BORNE));
      return true;
    },
    note: ({ trouble }) => {
      missed = trouble === null ? 0 : trouble === 'configuration' ? TRIES : missed + 1;
    },
  };
};

interface One {
  readonly key: InquiryKey;
  readonly client: Parameters<Reconciling['take']>[0]['client'];
}

/** Waits for its turn; null where somebody else asks about it at this moment. */
const makeOne = async (reconciling: Reconciling, { key, client }: One): Promise<Made | null> => {
  for (;;) {
    const taken = await reconciling.take({ clientId: key.clientId, client, key });
    if (taken.kind === 'taken') return await taken.make();
    if (taken.kind !== 'early') return null;
    await pause(taken.inMs);
  }
};

const statusNow = async (store: Store, { clientId, about, id }: InquiryKey): Promise<string | null> => {
  if (about !== 'order') return null;
  const [order] = await store.findOrders({ clientId, id: id.trimStart() });
  return order?.status ?? null;
};

const answerOf = ({ made }: Reply): string => {
  if (made === null) return 'not asked';
  const { outcome, code } = made.inquired;
  return outcome === 'OK' ? 'OK' : `${outcome} ${code}`;
};

const toJson = (reply: Reply) => ({
  ...idsOf(reply.key),
  why: reply.made === null ? null : WHY[reply.made.why],
  outcome: reply.made?.inquired.outcome ?? null,
  code: reply.made?.inquired.code ?? null,
  statusBefore: reply.before,
  status: reply.after,
});

const GIVEN_UP = `APO did not answer ${TRIES} times in a row, or refuses the configuration. Ask again once it answers.`;
const ASKED_BY_ANOTHER = 'the service asks about it at this moment. `paynotify why ID` tells its answer.';

const isGivenUp = (asked: readonly Reply[]): boolean => asked.some(({ made }) => made?.inquired.trouble !== null);

const printReplies = (replies: readonly Reply[], { out, paint }: Shell): void => {
  if (replies.length === 0) return out('There is nothing to ask.');
  const rows = replies.map((reply): Row => [
    reply.key.clientId,
    reply.key.id.trim(),
    answerOf(reply),
    textCell(reply.before),
    textCell(reply.after, reply.after === reply.before ? undefined : 'green'),
  ]);
  out(table(paint, ['CLIENT', 'ID', 'ANSWER', 'STATUS BEFORE', 'STATUS NOW'], rows));
  const asked = replies.filter(({ made }) => made !== null);
  const changed = asked.filter(({ before, after }) => before !== after).length;
  out(`\nAsked about ${counted(asked.length, 'order')}; the status of ${changed} changed.`);
  const left = replies.length - asked.length;
  if (left > 0) out(`Not asked about ${left}: ${isGivenUp(asked) ? GIVEN_UP : ASKED_BY_ANOTHER}`);
};
