import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parse } from 'yaml';
import { SECRETS, VARIABLES } from '../../src/config.ts';
import { cancelToSend, captureToSend, refundToSend } from '../../src/http/admin/said-moves.ts';
import { readManifests, readProject } from '../deploy/typed.ts';
import type { Ended } from '../commands/support.ts';
import { eventually } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import type { TestServer } from '../support/postgres.ts';
import { type Environment, runProgram } from '../support/receiver.ts';
import { CURLS, type Site, START, useCurl } from './site.ts';

/** How each command of the documents is run, or checked as far as this machine allows. */

/** What a command is run in; pages that only show others start nothing. */
export interface Stage {
  readonly site: () => Promise<Site>;
  readonly postgres: () => Promise<TestServer>;
}

export type Check = (stage: Stage, match: RegExpExecArray) => Promise<void>;
export type Rule = readonly [pattern: RegExp, check: Check];

const variables = new Set<string>([...VARIABLES, ...SECRETS.map((name) => `${name}_FILE`)]);
const dockerfile = readProject('Dockerfile');
const ci = readProject('.ci/run');
export const scripts = (JSON.parse(readProject('package.json')) as { readonly scripts: Environment }).scripts;
const composed = parse(readProject('deploy/compose.yaml'), { merge: true }) as { readonly services: Fields };
interface Kustomization {
  readonly namespace: string;
  readonly resources: readonly string[];
}
const readKustomization = (folder: string): Kustomization =>
  parse(readProject(`${folder}/kustomization.yaml`)) as Kustomization;
const { namespace } = readKustomization('deploy/kubernetes/postgresql');

const expectFine = ({ code, out, err }: Ended): void => {
  expect({ code, said: code === 0 ? '' : out + err }).toEqual({ code: 0, said: '' });
};

/** The volume of a container is a directory here. */
const atHome = (command: string): string => command.replaceAll(/(?<![\w.])\/data(?=[/ ])/g, 'data');

/** The same with the ports that it has here. */
const onSite = (site: Site, command: string): string => {
  const { address, admin } = site.receiver();
  return atHome(command)
    .replaceAll('localhost:9090', `127.0.0.1:${admin.port}`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${address.port}`)
    .replaceAll('http://127.0.0.1:8081', sandboxes.get(site) ?? 'no sandbox');
};

/** Where the sandbox of a site is. */
const sandboxes = new WeakMap<Site, string>();

const run: Check = async ({ site }, { input }) => {
  const checkout = await site();
  expectFine(await checkout.run(onSite(checkout, input)));
};

/** The site has no private key, and needs one: with one, restore.test.ts runs it. */
const reconcile: Check = async ({ site }, { input }) => {
  const { code, err } = await (await site()).here(input);
  expect({ code, err }).toEqual({ code: 78, err: expect.stringContaining('ANTOM_PRIVATE_KEY is not set') });
};

const runHere: Check = async ({ site }, { input }) => {
  const checkout = await site();
  expectFine(await checkout.here(onSite(checkout, input)));
};

/** What a container runs, run here. */
const runInside: Check = async ({ site }, { groups }) => {
  const checkout = await site();
  expectFine(await checkout.run(onSite(checkout, groups?.['inside'] ?? '')));
};

const ordersOf = async (checkout: Site): Promise<readonly string[]> => {
  const { json } = await checkout.receiver().read('/api/orders');
  return (json as { readonly items: readonly Fields[] }).items.map(({ paymentId }) => String(paymentId)).sort();
};

/** The orders of what is stopped. */
const orders = new WeakMap<Site, readonly string[]>();

const stop: Check = async ({ site }) => {
  const checkout = await site();
  orders.set(checkout, await ordersOf(checkout));
  await checkout.stop();
};

/** It has the orders that it had before. */
const start: Check = async ({ site }) => {
  const checkout = await site();
  await checkout.start();
  expect(await ordersOf(checkout)).toEqual(orders.get(checkout));
};

/** `moves.test.ts` sends it, to a sandbox. */
const curlMove: Check = async (_, { groups }) => {
  const said: unknown = JSON.parse(groups?.['said'] ?? '');
  const shape = { captures: captureToSend, cancel: cancelToSend, refunds: refundToSend }[groups?.['what'] ?? ''];
  expect(shape?.safeParse(said)).toMatchObject({ success: true });
};

const curl: Check = async ({ site }, { input }) => {
  const checkout = await site();
  for (const program of CURLS) {
    useCurl(checkout, program);
    expectFine(await checkout.run(onSite(checkout, input)));
  }
};

/** What is sent verifies, but for a forgery. */
const send: Check = async ({ site }, { input }) => {
  const checkout = await site();
  const before = await checkout.receiver().unverified();
  const url = `http://127.0.0.1:${checkout.receiver().address.port}/payNotify`;
  const { code, out, err } = await checkout.here(
    input.includes('--url') ? onSite(checkout, input) : `${input} --url ${url}`,
  );
  expectFine({ code, out, err });
  expect(out).toContain('SUCCESS');
  const added = (await checkout.receiver().unverified()).length - before.length;
  expect(added).toBe(input.includes('--break-signature') ? 1 : 0);
};

/** It stays up, for the commands after it. */
const startSandbox: Check = async ({ site }, { input }) => {
  const checkout = await site();
  const { directory } = checkout;
  const url = `http://127.0.0.1:${checkout.receiver().address.port}/payNotify`;
  const { output } = runProgram({ PATH: [join(directory, 'bin'), process.env['PATH']].join(':') }, [
    '/bin/sh',
    '-c',
    `cd '${directory}' && exec ${input} --json --port 0 --notify-url ${url}`,
  ]);
  const said = await eventually('the sandbox', output, ({ stdout }) => stdout.includes('\n}\n'));
  const { url: address, notifyUrl } = JSON.parse(said.stdout) as Environment;
  expect(notifyUrl).toBe(url);
  sandboxes.set(checkout, address ?? '');
};

/** In the document's words the revision is of another day. */
const review: Check = async (stage, match) => {
  const order = await (await stage.site()).receiver().order(match.groups?.['id'] ?? '');
  const input = match.input.replace(/(?<=--revision )\d+/, String(order?.revision));
  await runHere(stage, Object.assign(match, { input }));
};

const keygen: Check = async ({ site }, { input }) => {
  const checkout = await site();
  const made = await checkout.here(input);
  expectFine(made);
  checkout.addKey(made.out.trim());
  await checkout.stop();
  await checkout.start();
};

const copy: Check = async ({ site, postgres }, { input }) => {
  const checkout = await site();
  const target = await (await postgres()).createDatabase();
  const copied = await checkout.here(input.replace(/postgres:\S+/, target));
  expectFine(copied);
  expect(copied.out).toContain('Both hold the same.');
};

const hangUp: Check = async ({ site }) => {
  const receiver = (await site()).receiver();
  const keys = (): number => receiver.log().filter(({ msg }) => msg === 'verifying with key').length;
  const before = keys();
  receiver.kill('SIGHUP');
  await eventually('the keys read again', keys, (now) => now > before);
};

/** Somebody else's request, as it was captured. */
const verifyCapture: Check = async ({ site }, { input, groups }) => {
  const checkout = await site();
  writeFileSync(join(checkout.directory, groups?.['file'] ?? ''), 'POST /payNotify HTTP/1.1\r\nHost: x\r\n\r\n{}');
  const { code, out } = await checkout.here(input);
  expect([code, out]).toEqual([1, expect.stringContaining('MISSING_HEADER')]);
};

const restore: Check = async (stage, match) => {
  await stop(stage, match);
  expectFine(await (await stage.site()).here(match.input));
  await start(stage, match);
};

/** Stands between a stop and a start. In the document's words the backup is of another day. */
const restoreInside: Check = async ({ site }, { groups }) => {
  const checkout = await site();
  // The image runs a command as `paynotify` does.
  const inside = atHome(`paynotify ${groups?.['inside']}`);
  const [, name = ''] = /data\/(backup-[\d-]+\.db)/.exec(inside) ?? [];
  copyFileSync(join(checkout.directory, 'paynotify-backup.db'), join(checkout.directory, 'data', name));
  expectFine(await checkout.run(inside));
};

const runsInCi =
  (step: string): Check =>
  async () =>
    expect(ci).toContain(step);

const isScript: Check = async (_, { groups }) => {
  const name = groups?.['script'] ?? '';
  expect(Object.keys(scripts)).toContain(name);
  expect(scripts['test']).toContain(`npm run -s ${name}`);
};

const fileExists = async (stage: Stage, path: string): Promise<void> => {
  const { directory } = await stage.site();
  expect([path, existsSync(join(directory, path))]).toEqual([path, true]);
};

/** `docker run`: what it names is what the image has, and every variable is one of ours. */
const dockerRun: Check = async (stage, { input }) => {
  const words = input.split(' ');
  const valuesOf = (option: string): readonly string[] =>
    words.flatMap((word, index) => (word === option ? [words[index + 1] ?? ''] : []));
  expect(words.at(-1)).toBe('paynotify');
  for (const file of valuesOf('--env-file')) await fileExists(stage, file);
  for (const set of valuesOf('-e')) expect([...variables]).toContain(set.split('=')[0]);
  const [, exposed = ''] = /^EXPOSE (.*)$/m.exec(dockerfile) ?? [];
  for (const port of valuesOf('-p')) expect(exposed.split(' ')).toContain(port.split(':').at(-1));
  for (const volume of valuesOf('-v'))
    expect(`VOLUME ${volume.split(':')[1]}`).toBe(/^VOLUME .*$/m.exec(dockerfile)?.[0]);
};

const dockerBuild: Check = async (stage) => await fileExists(stage, 'Dockerfile');

const compose: Check = async (stage, { input, groups }) => {
  await fileExists(stage, groups?.['file'] ?? '');
  const named = [...input.matchAll(/\bpaynotify-(\d|\$n)/g)].map(([name]) => name);
  const numbers = /^for n in ([\d ]+);/.exec(input)?.[1]?.split(' ') ?? [];
  const services = named.flatMap((name) => (name.endsWith('$n') ? numbers.map((n) => `paynotify-${n}`) : [name]));
  expect(Object.keys(composed.services)).toEqual(expect.arrayContaining(services));
};

const applyKustomization: Check = async (stage, { groups }) => {
  const folder = groups?.['folder'] ?? '';
  const kustomization = readKustomization(folder);
  expect(kustomization.namespace).toBe(namespace);
  for (const name of kustomization.resources) await fileExists(stage, `${folder}/${name}`);
};

const isNamespace: Check = async (_, { groups }) => {
  expect(groups?.['namespace']).toBe(namespace);
};

/** The Secret has the name and the entries of the one that the Deployment mounts. */
const createSecret: Check = async (_, { input, groups }) => {
  expect(groups?.['namespace']).toBe(namespace);
  const secret = readManifests().find(({ kind }) => kind === 'Secret')?.content as {
    readonly metadata: { readonly name: string };
    readonly stringData: Environment;
  };
  expect(groups?.['name']).toBe(secret.metadata.name);
  const entries = [...input.matchAll(/--from-file=([\w-]+)/g)].map(([, entry]) => entry);
  expect(entries).toEqual(Object.keys(secret.stringData));
};

const deleteJob: Check = async (_, { groups }) => {
  expect(groups?.['namespace']).toBe(namespace);
  const job = readManifests().find(({ kind }) => kind === 'Job')?.content as { readonly metadata: Fields };
  expect(groups?.['name']).toBe(job.metadata['name']);
};

const namesVariables: Check = async (_, { input }) => {
  const named = [...input.matchAll(/\$([A-Z_]+)/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !variables.has(name ?? ''))).toEqual([]);
};

/** The first rule that fits. A command that none fits fails the test: add how it is run or checked. */
export const RULES: readonly Rule[] = [
  // Run by CI, which starts from a clean checkout.
  [/^npm ci && npm run demo$/, runsInCi('npm run demo -- --exit')],
  [/^npm ci && npm test$/, runsInCi('step npm ci --no-audit --no-fund && step npm test')],
  [/^npm run (?<script>typecheck|lint)$/, isScript],
  // The image is built with it.
  [/^npm ci --omit=dev$/, async () => expect(dockerfile).toContain('RUN npm ci --omit=dev')],

  // Run here.
  [/^curl -X POST \S+\/(?<what>captures|cancel|refunds) .*-d '(?<said>.*)'$/, curlMove],
  [/^curl /, curl],
  [/^cp \.env\.example \.env$/, run],
  [/^(echo "ADMIN_TOKEN=.+" >>|chmod 600 )\.env$/, run],
  [
    /^npm start$/,
    async ({ site }, { input }) => {
      expect(input).toBe(START);
      expect(await (await site()).receiver().readiness()).toMatchObject({ status: 200 });
    },
  ],
  [/^paynotify keygen /, keygen],
  [/^paynotify send /, send],
  [/^paynotify sandbox /, startSandbox],
  [/^paynotify review (?<id>\S+) /, review],
  [/^paynotify copy /, copy],
  [/^paynotify restore /, restore],
  [/^paynotify verify (?<file>\S+)$/, verifyCapture],
  [/^paynotify reconcile --since \S+$/, reconcile],
  [/^(DATABASE_URL=\S+ )?paynotify /, runHere],
  [/^grep -rn CHANGE /, run],

  // What a container runs is run here.
  [/^docker exec paynotify (?<inside>paynotify .*)$/, runInside],
  [/^docker compose -f \S+ exec paynotify-1 (?<inside>paynotify .*)$/, runInside],
  [/^docker run --rm -v paynotify:\/data paynotify (?<inside>restore .*)$/, restoreInside],
  [
    /^docker cp "paynotify:(?<from>[^"]+)" \.$/,
    async (stage, match) => {
      const inside = `cp "${match.groups?.['from']}" .`;
      await runInside(stage, Object.assign(match, { groups: { inside } }));
    },
  ],
  [/^docker kill --signal HUP paynotify$/, hangUp],
  [/^docker stop paynotify$/, stop],
  [/^docker start paynotify$/, start],

  // These need Docker, Kubernetes or PostgreSQL's own tools: what they name is there.
  [/^docker build -t paynotify \.$/, dockerBuild],
  [/^docker run -d /, dockerRun],
  [/^(for n in [\d ]+; do )?docker compose -f (?<file>\S+) (up|build|run --rm migrate)\b/, compose],
  [/^kubectl create namespace (?<namespace>\S+)$/, isNamespace],
  [/^kubectl -n (?<namespace>\S+) create secret generic (?<name>\S+) /, createSecret],
  [/^kubectl -n (?<namespace>\S+) delete job (?<name>\S+) --ignore-not-found$/, deleteJob],
  [/^kubectl apply -k (?<folder>\S+)$/, applyKustomization],
  [/^pg_(dump|restore) /, namesVariables],
];
