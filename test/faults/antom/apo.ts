import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Address, eventually } from '../../support/client.ts';
import type { Fields } from '../../support/facts.ts';
import { type Environment, type Program, runProgram } from '../../support/receiver.ts';
import type { PaymentEntry } from '../../../src/sandbox/ledger.ts';

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const KEYS = fileURLToPath(new URL('../../fixtures/keys/', import.meta.url));
const CLIENT = 'SANDBOX_PROOF';

/** A notification as the sandbox keeps it. */
export interface Told {
  readonly paymentId: string;
  readonly state: string;
  readonly body: string;
}

/** `paynotify sandbox` as a process of its own. */
export interface Apo {
  readonly program: Program;
  /** How paynotify is configured against it. */
  readonly environment: Environment;
  readonly pay: (payment: Fields) => Promise<void>;
  readonly ledger: () => Promise<readonly PaymentEntry[]>;
  readonly told: () => Promise<readonly Told[]>;
  /** Waits until nothing is under way, and every notification is acknowledged, lost or given up. */
  readonly quiet: () => Promise<void>;
}

/** One in five is lost, one in five comes twice, one in five out of order; one call in ten fails. */
const MISBEHAVES = [
  'lost=0.2,duplicates=0.2,reordered=0.2,captureFirst=0.2',
  'pending=0.15,declines=0.1,processing=0.2,failedCaptures=0.08,lapses=0.04,disputes=0.06',
  'failing=0.1,slow=0.03,unsigned=0.01,badlySigned=0.01',
].join(',');
/** A notification that meets nobody comes again 0.6, 3.6, 6.6, 24.6, … seconds after. */
const SPEED = '200';
const SLOW_MS = 300;
const LOOKED_EVERY_MS = 100;

export const startApo = async ({ seed, to }: { readonly seed: number; readonly to: Address }): Promise<Apo> => {
  const options: Environment = {
    port: '0',
    client: CLIENT,
    speed: SPEED,
    seed: String(seed),
    misbehave: MISBEHAVES,
    'apo-key': `${KEYS}throw-away-second.private.pkcs8.pem`,
    'merchant-key': `${KEYS}throw-away.public.spki.base64.txt`,
    'notify-url': `http://${to.host}:${to.port}/payNotify`,
  };
  const values = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const program = runProgram({}, [process.execPath, CLI, 'sandbox', '--json', ...values]);
  const { stdout } = await eventually('the sandbox', program.output, (said) => said.stdout.endsWith('}\n'));
  const { url, environment } = JSON.parse(stdout) as { readonly url: string; readonly environment: Environment };
  const control = async (path: string, method = 'GET', body?: Fields): Promise<Fields> => {
    const headers = { 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${url}/control${path}`, { method, headers, ...sent });
    const json = (await response.json()) as Fields;
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${JSON.stringify(json)}`);
    return json;
  };
  await control('', 'PATCH', { slowMs: SLOW_MS });
  return {
    program,
    environment: {
      ...environment,
      ANTOM_PRIVATE_KEY_FILE: `${KEYS}throw-away.private.pkcs8.pem`,
      INQUIRIES_PER_SECOND: '50',
    },
    pay: async (payment) => void (await control('/payments', 'POST', payment)),
    ledger: async () => (await control('/ledger'))['payments'] as readonly PaymentEntry[],
    told: async () => (await control('/notifications'))['notifications'] as readonly Told[],
    quiet: async () =>
      void (await eventually(
        'a quiet sandbox',
        async () => {
          await pause(LOOKED_EVERY_MS);
          return await control('');
        },
        ({ pending, notifications }) => pending === 0 && !Object.hasOwn(notifications as Fields, 'WAITING'),
      )),
  };
};
