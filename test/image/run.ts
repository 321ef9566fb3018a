import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commandsOf, readPage, sectionOf } from '../docs/blocks.ts';
import { type Address, createSigner, eventually, get, send } from '../support/client.ts';
import { captureResult, type Fields, jpy, paymentResult } from '../support/facts.ts';
import { freePort } from '../support/port.ts';
import { endPrograms, makeDirectory, removeDirectories } from '../support/receiver.ts';
import { createSecret, readLedger, startShop } from '../support/example-shop.ts';
import { findEngine, inShell, installEngine } from './engine.ts';

/**
 * Drives the commands of docs/deploying.md and docs/operating.md against the real image. By hand: it needs Docker or
 * podman, and makes a container, a volume and an image named paynotify.
 *   npm run test:image -- [--image NAME] [--host-network] [--run-arguments='--runtime runc']
 */
const { values } = parseArgs({
  options: {
    image: { type: 'string' },
    'host-network': { type: 'boolean', default: false },
    'run-arguments': { type: 'string', default: '' },
  },
});
const hostNetwork = values['host-network'];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const directory = makeDirectory();
const engine = findEngine();
installEngine(engine, directory, { image: values.image, hostNetwork, runArguments: values['run-arguments'] });
copyFileSync(join(ROOT, '.env.example'), join(directory, '.env.example'));

const ports = hostNetwork
  ? { PORT: await freePort(), ADMIN_PORT: await freePort() }
  : { PORT: 8_080, ADMIN_PORT: 9_090 };
const at = (port: number): Address => ({ host: '127.0.0.1', port });
const signer = createSigner('T_client');

const run = (command: string, cwd = directory): string => {
  const { code, out, err } = inShell(command, directory, cwd);
  assert.equal(code, 0, `${command}\n${out}${err}`);
  return out.trim();
};
/** The command of a section that begins so, as it is run here. */
const commandOf = (page: string, heading: string, beginning: string): string => {
  const text = sectionOf(readPage(page), heading);
  const found = commandsOf({ path: page, text }).find((command) => command.startsWith(beginning));
  if (found === undefined) throw new Error(`${page}, ${heading}, shows no command that begins with ${beginning}`);
  const placed = hostNetwork ? found.replaceAll(/ -p \S+/g, '') : found;
  return placed.replaceAll('localhost:9090', `127.0.0.1:${ports.ADMIN_PORT}`);
};
const recipe = (beginning: string): string => commandOf('docs/deploying.md', 'One container, SQLite', beginning);
const operating = (heading: string, beginning: string): string => commandOf('docs/operating.md', heading, beginning);
const inspect = (format: string): string => run(`docker inspect --format '{{${format}}}' paynotify`);
const readiness = async (): Promise<number> =>
  await get(at(ports.PORT), '/readyz').then(
    ({ status }) => status,
    () => 0,
  );
const becomesReady = async (): Promise<void> => {
  await eventually('/readyz', readiness, (status) => status === 200);
};
const post = async (fields: Fields): Promise<void> => {
  const { status, text } = await send(at(ports.PORT), signer.sign(fields));
  assert.match(`${status} ${text}`, /^200 .*SUCCESS/);
};
const pay = async (number: number): Promise<void> => {
  const paymentId = `P${number}`;
  await post(paymentResult('S', { paymentId, paymentRequestId: `R${number}`, paymentAmount: jpy('120') }));
  await post(captureResult('S', { paymentId, captureId: `C${number}`, captureAmount: jpy('120') }));
};
const listed = (): string => run(recipe('curl '));
const token = (): string => /^ADMIN_TOKEN=(.+)$/m.exec(readFileSync(join(directory, '.env'), 'utf8'))?.[1] ?? '';
/** Kills the server in the container, as the kernel does where memory runs out. */
const killServer = (): void => void process.kill(Number(inspect('.State.Pid')), 'SIGKILL');

const STEPS: Readonly<Record<string, () => unknown>> = {
  'nothing here is named paynotify': () => {
    assert.equal(run("docker ps --all --quiet --filter 'name=^paynotify$'"), '', 'remove the container first');
    assert.equal(run("docker volume ls --quiet --filter 'name=^paynotify$'"), '', 'remove the volume first');
  },
  'the image builds': () => run(recipe('docker build'), ROOT),
  '.env is made, and filled in': () => {
    for (const beginning of ['cp ', 'echo ', 'chmod ']) run(recipe(beginning));
    const filledIn = {
      ANTOM_CLIENT_ID: signer.clientId,
      ANTOM_PUBLIC_KEY: signer.publicKey,
      ...(hostNetwork ? ports : {}),
    };
    for (const [name, value] of Object.entries(filledIn)) appendFileSync(join(directory, '.env'), `${name}=${value}\n`);
  },
  'it starts, and becomes ready': async () => {
    run(recipe('docker run'));
    await becomesReady();
  },
  'notifications become an order, which the command line shows': async () => {
    await pay(1);
    assert.match(run(recipe('docker exec')), /P1/);
  },
  'the host reads the order at the admin listener, with the token': async () => {
    assert.match(listed(), /"paymentId":"P1"/);
    assert.equal((await get(at(ports.ADMIN_PORT), '/api/orders')).status, 401);
  },
  'a shop on the host registers, follows and ships': async () => {
    const ledger = join(directory, 'shop.db');
    const shop = await startShop({
      PAYNOTIFY_URL: `http://127.0.0.1:${ports.ADMIN_PORT}`,
      ADMIN_TOKEN: token(),
      ADMIN_READ_TOKEN: token(),
      CALLBACK_SECRETS: createSecret(),
      LEDGER: ledger,
      FEED_WAIT: '0',
    });
    const body = JSON.stringify({ paymentRequestId: 'R2', referenceOrderId: 'order-2', amount: jpy('120') });
    const checkout = await fetch(`http://127.0.0.1:${shop.address.port}/checkout`, { method: 'POST', body });
    assert.equal(checkout.status, 201);
    await pay(2);
    const parcels = await eventually(
      'the parcels',
      () => readLedger(ledger).parcels,
      ({ length }) => length === 2,
    );
    assert.deepEqual(parcels.map(({ shop_order }) => shop_order).sort(), ['R1', 'order-2']);
    shop.kill('SIGTERM');
    assert.equal(await shop.exited, 0);
  },
  'it runs within its bounds': () => {
    assert.equal(inspect('.HostConfig.Memory'), String(512 * 1_048_576));
    assert.equal(inspect('.HostConfig.ReadonlyRootfs'), 'true');
    const written = inShell('docker exec paynotify touch /app/x', directory);
    assert.match(`${written.code} ${written.err}`, /^1 .*[Rr]ead-only file system/s);
    assert.match(
      run('docker exec paynotify cat /proc/1/status'),
      /^Uid:\t1000\t.*^CapEff:\t0{16}$.*^NoNewPrivs:\t1$/ms,
    );
  },
  'it is started again when it is killed, with all that it had': async () => {
    const before = inspect('.State.Pid');
    killServer();
    await eventually(
      'another start',
      () => inspect('.State.Pid'),
      (pid) => pid !== before && pid !== '0',
    );
    await becomesReady();
    assert.match(listed(), /"paymentId":"P1"/);
  },
  'a backup is made, and put back': async () => {
    const backup = operating('Backup', 'docker exec paynotify paynotify backup');
    run(backup);
    run(operating('Backup', 'docker cp'));
    const [, file = ''] = /"(\/data\/.+)"$/.exec(backup) ?? [];
    await pay(3);
    run(operating('Restore', 'docker stop'));
    run(operating('Restore', 'docker run').replace(/\/data\/backup-[\d-]+\.db$/, file));
    run(operating('Restore', 'docker start'));
    await becomesReady();
    const orders = listed();
    assert.match(orders, /"paymentId":"P2"/);
    assert.doesNotMatch(orders, /"paymentId":"P3"/);
  },
  'it ends by itself when it is stopped': () => {
    run('docker stop paynotify');
    assert.equal(inspect('.State.ExitCode'), '0');
  },
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
let made = false;
try {
  for (const [name, step] of Object.entries(STEPS)) {
    await step();
    made = true;
    say(`ok ${name}`);
  }
  say(`${Object.keys(STEPS).length} passed, 0 failed (${engine})`);
} catch (error) {
  if (made) say(inShell('docker logs paynotify', directory).out);
  throw error;
} finally {
  await endPrograms();
  // What was there before is not ours to remove.
  if (made) inShell('docker rm --force paynotify; docker volume rm paynotify', directory);
  removeDirectories();
}
