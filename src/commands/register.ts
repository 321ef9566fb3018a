import { Option } from 'commander';
import { changes as changesSchema, expectation, refunded, toChanges } from '../http/admin/said.ts';
import type { AmountText } from '../order/amount.ts';
import {
  CAPTURE_MODES,
  type CaptureMode,
  COMPARED,
  finalAmountProblem,
  type Registration,
  sameAmountText,
} from '../order/registration.ts';
import type { AmendResult, Store, StoredRefundRegistration, StoredRegistration } from '../store/store.ts';
import { CommandError, UsageError } from './failure.ts';
import { amountText, clientOption, identifierText, jsonOption, shellWord } from './options.ts';
import { amountCell, textCell, utc } from './readable.ts';
import { said } from './said.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { configuredClient, withStore } from './stored.ts';
import { type Pair, pairs } from './table.ts';

interface Fields {
  readonly amount?: AmountText;
  readonly referenceOrderId?: string;
  readonly captureMode?: CaptureMode;
  readonly paymentMethodType?: string;
  readonly authExpiryTime?: string;
  readonly finalAmount?: AmountText;
  readonly cancelled?: true;
}

interface RegisterOptions extends Fields {
  readonly change?: true;
  readonly clear?: readonly (keyof Fields)[];
  readonly replace?: true;
  readonly refundOf?: string;
  readonly refundOfRequest?: string;
  readonly client?: string;
  readonly json?: true;
}

const CLEARED = [
  'referenceOrderId',
  'captureMode',
  'paymentMethodType',
  'authExpiryTime',
  'finalAmount',
  'cancelled',
] as const satisfies readonly (keyof Fields)[];
const FIELDS = ['amount', ...CLEARED] as const;
const OF_A_PAYMENT = [...FIELDS, 'change', 'clear'];

export const addRegister: AddCommand = (program, shell) => {
  program
    .command('register')
    .summary('say what to expect of a payment, or which payment a refund belongs to')
    .description(
      'Registers what the shop expects of a payment, before or after its notifications; --change changes some fields of what is registered. With --refund-of or --refund-of-request it says instead which payment a refund belongs to.',
    )
    .argument('<id>', "the paymentRequestId, or the refund's refundRequestId", identifierText)
    .option('--amount <CUR:VALUE>', "the price in the currency's smallest unit, as JPY:120", amountText)
    .option('--reference-order-id <id>', "the order's number in the shop")
    .addOption(new Option('--capture-mode <mode>', 'how it is captured').choices(CAPTURE_MODES))
    .option('--payment-method-type <type>', 'the payment method that was asked for')
    .option('--auth-expiry-time <time>', 'when the authorization ends: ISO 8601 with Z or an offset')
    .option('--final-amount <CUR:VALUE>', 'all that is going to be captured', amountText)
    .option('--cancelled', 'a fact: APO has cancelled the payment, or it was never placed')
    .option('--change', 'change the given fields of what is registered')
    .addOption(new Option('--clear <field...>', 'with --change: take fields back').choices(CLEARED))
    .addOption(new Option('--replace', 'replace what is registered').conflicts('change'))
    .addOption(
      new Option('--refund-of <payment-id>', 'the refund of this payment').conflicts([
        ...OF_A_PAYMENT,
        'refundOfRequest',
      ]),
    )
    .addOption(
      new Option('--refund-of-request <payment-request-id>', 'the same by its paymentRequestId').conflicts(
        OF_A_PAYMENT,
      ),
    )
    .addOption(clientOption())
    .addOption(jsonOption())
    .action(async (id: string, options: RegisterOptions) => {
      const carryOut = registeringOf(options, { id, options, shell });
      await withStore(
        shell,
        async (store) => await carryOut(store, await configuredClient(shell.env, options.client, store)),
      );
    });
};

interface Asked {
  readonly id: string;
  readonly options: RegisterOptions;
  readonly shell: Shell;
}

type Registering = (store: Store, clientId: string) => Promise<void>;

/** Reads the options before a store is opened. */
const registeringOf = (options: RegisterOptions, asked: Asked): Registering => {
  if (options.refundOf !== undefined || options.refundOfRequest !== undefined) return refundRegistering(asked);
  if (options.change === true) return changing(asked);
  if (options.clear !== undefined) throw new UsageError('--clear goes with --change');
  if (options.amount === undefined)
    throw new UsageError('--amount is needed; --change changes some fields of what is registered');
  return registering(asked);
};

const fieldsIn = (options: RegisterOptions): Fields =>
  Object.fromEntries(FIELDS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));

/** As PUT does. */
const registering = ({ id, options, shell }: Asked): Registering => {
  const { clientId: _client, cancelled, ...expected } = said(expectation, fieldsIn(options));
  const reason = finalAmountProblem(expected);
  if (reason !== null) throw new UsageError(reason);
  return async (store, clientId) => {
    const registration = { ...expected, cancelled: cancelled ?? false, clientId, paymentRequestId: id };
    const result = await store.register(registration, { replace: options.replace === true, now: new Date() });
    if (result.kind === 'payment') throw new CommandError(ofAPayment(id, result.order.paymentRequestId));
    if (result.kind === 'conflict') throw new CommandError(conflictOf(result.registration, registration));
    show(result, { shell, options, note: notTaken(result.registration, { registration, options }) });
  };
};

const ofAPayment = (id: string, paymentRequestId: string | null): string =>
  `${id} is a paymentId: register under the paymentRequestId of that payment${paymentRequestId === null ? '' : `, ${paymentRequestId}`}`;

interface Given {
  readonly registration: Registration;
  readonly options: RegisterOptions;
}

/** Which given fields a registration that stands has not taken, and how it does; null where there is none. */
const notTaken = (standing: Registration, { registration, options }: Given): string | null => {
  const { paymentRequestId, finalAmount, cancelled } = registration;
  const fields = [
    ...(finalAmount === null || sameAmountText(standing.finalAmount, finalAmount)
      ? []
      : [['finalAmount', `--final-amount ${finalAmount.currency}:${finalAmount.value}`]]),
    ...(cancelled && !standing.cancelled ? [['cancelled', '--cancelled']] : []),
  ];
  if (fields.length === 0) return null;
  const client = options.client === undefined ? [] : ['--client', shellWord(options.client)];
  const words = [shellWord(paymentRequestId), '--change', ...fields.map(([, option]) => option), ...client];
  return `Not changed: ${fields.map(([name]) => name).join(' and ')}, which only --change changes: \`paynotify register ${words.join(' ')}\`.`;
};

const conflictOf = (standing: StoredRegistration, asked: Registration): string => {
  const { finalAmount } = standing;
  const already = `something else is registered already: ${differences(standing, asked).join('; ')}`;
  return finalAmountProblem({ amount: asked.amount, finalAmount }) === null
    ? `${already}. --replace replaces it, --change changes some fields`
    : `${already}. This amount is below its finalAmount ${amountCell(finalAmount).text}, or in another currency: change both together by --change`;
};

/** What PUT compares, where it differs: what is registered, and what was asked for. */
const differences = (standing: Registration, asked: Registration): readonly string[] =>
  (['amount', ...COMPARED] as const)
    .map((name) => [name, told(standing[name]), told(asked[name])] as const)
    .filter(([, one, other]) => one !== other)
    .map(([name, one, other]) => `${name} ${one}, not ${other}`);

const told = (value: AmountText | string | null): string =>
  (typeof value === 'object' && value !== null ? amountCell(value) : textCell(value)).text;

/** As PATCH does. */
const changing = ({ id, options, shell }: Asked): Registering => {
  const given = fieldsIn(options);
  const cleared = options.clear ?? [];
  const both = cleared.find((name) => name in given);
  if (both !== undefined) throw new UsageError(`${both} is both given and cleared`);
  const fields = { ...given, ...Object.fromEntries(cleared.map((name) => [name, null])) };
  if (Object.keys(fields).length === 0) throw new UsageError('--change needs a field to change or to --clear');
  const { clientId: _client, ...changes } = said(changesSchema, fields);
  return async (store, clientId) => {
    const amendment = { clientId, paymentRequestId: id, changes: toChanges(changes) };
    const result = await store.amend(amendment, new Date());
    show(amended(id, result), { shell, options });
  };
};

const amended = (id: string, result: AmendResult): Registered => {
  switch (result.kind) {
    case 'unknown':
      throw new CommandError(`nothing is registered for ${id}: leave --change out, and give its --amount as well`);
    case 'invalid':
      throw new CommandError(result.problem);
    case 'unchanged':
    case 'replaced':
      return result;
  }
};

/** As PUT of a refund does. */
const refundRegistering = ({ id, options, shell }: Asked): Registering => {
  const payment = { paymentId: options.refundOf ?? null, paymentRequestId: options.refundOfRequest ?? null };
  const { paymentId, paymentRequestId } = said(refunded, payment);
  const replace = options.replace === true;
  return async (store, clientId) => {
    const registration = { clientId, refundRequestId: id, paymentId, paymentRequestId };
    const { kind, registration: found } = await store.registerRefund(registration, { replace, now: new Date() });
    const standing = found.paymentId ?? found.paymentRequestId;
    if (kind === 'sent')
      throw new CommandError(`paynotify has sent this refund to APO for ${standing}: it is of no other payment`);
    if (kind === 'conflict')
      throw new CommandError(`this refund is registered for ${standing} already: --replace replaces it`);
    show({ kind, registration: found }, { shell, options });
  };
};

/** What stands in the end. */
interface Registered {
  readonly kind: 'created' | 'unchanged' | 'replaced';
  readonly registration: StoredRegistration | StoredRefundRegistration;
}

const SAID: Readonly<Record<Registered['kind'], string>> = {
  created: 'Registered.',
  unchanged: 'Nothing to change: the same is registered already.',
  replaced: 'Changed; what stood before stays on record.',
};

const show = (
  { kind, registration }: Registered,
  { shell, options, note = null }: Pick<Asked, 'shell' | 'options'> & { readonly note?: string | null },
): void => {
  if (options.json === true) {
    if (note !== null) shell.err(`note: ${note}`);
    printJson(shell, registration);
    return;
  }
  const words = [...(note === null || kind === 'replaced' ? [SAID[kind]] : []), ...(note === null ? [] : [note])];
  shell.out(`${words.join(' ')}\n\n${pairs(shell.paint, rowsOf(registration))}`);
};

const rowsOf = (registration: StoredRegistration | StoredRefundRegistration): readonly Pair[] => [
  ...('amount' in registration ? expectedRows(registration) : refundRows(registration)),
  ['registered (UTC)', utc(registration.createdAt)],
  ['changed (UTC)', utc(registration.updatedAt)],
];

const refundRows = (registration: StoredRefundRegistration): readonly Pair[] => [
  ['client', registration.clientId],
  ['refundRequestId', registration.refundRequestId],
  ['paymentId', textCell(registration.paymentId)],
  ['paymentRequestId', textCell(registration.paymentRequestId)],
];

const expectedRows = (registration: StoredRegistration): readonly Pair[] => [
  ['client', registration.clientId],
  ['paymentRequestId', registration.paymentRequestId],
  ['amount', amountCell(registration.amount)],
  ['referenceOrderId', textCell(registration.referenceOrderId)],
  ['capture mode', textCell(registration.captureMode)],
  ['method', textCell(registration.paymentMethodType)],
  ['authorization ends', textCell(registration.authExpiryTime)],
  ['final', amountCell(registration.finalAmount)],
  ['cancelled', registration.cancelled ? 'yes' : 'no'],
];
