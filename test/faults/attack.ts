import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { settings } from '../../bench/subjects.ts';
import { type Address, createSigner, get } from '../support/client.ts';
import type { RawAnswer } from '../support/raw-http.ts';
import {
  environmentOf,
  makeDirectory,
  type Program,
  type ReceiverProcess,
  removeDirectory,
  startProcessReady,
} from '../support/receiver.ts';
import { freePorts, startHaproxy, startNginx } from '../system/balancer.ts';
import { type Attack, ATTACKS, type Left } from './attack/attacks.ts';
import { type Genuine, startGenuine } from './attack/genuine.ts';
import { openStranger, type Stranger } from './attack/stranger.ts';
import type { Campaign, Extent } from './campaign.ts';
import { createRandom, type Random } from './random.ts';

/** What stands in front; a round has one of them, by its seed. */
const FRONTS = ['nothing', 'deploy/haproxy.cfg', 'deploy/nginx.conf'] as const;
type Front = (typeof FRONTS)[number];

/** What deploy/kubernetes gives a replica. */
const MEMORY_MIB = 512;
const NOTEWORTHY_MIB = 32;
const ATTACK_ENDS_AFTER_MS = 20_000;
const READY_WITHIN_MS = 30_000;
/** What a stranger causes is `warn` at most. So many are left for what the machine does meanwhile. */
const ERROR_LINES = 20;
const LONGEST_ADDRESS = 64;

type Ports = readonly [number, number, number];

interface Stage {
  readonly front: Front;
  readonly address: Address;
  readonly replica: ReceiverProcess;
  readonly genuine: Genuine;
  readonly random: Random;
  readonly signer: ReturnType<typeof createSigner>;
  readonly name: string;
  readonly attacks: readonly Attack[];
}

/** All of them; in a part of a round each balancer has the half that the other one has not. */
const attacksOn = (front: Front, extent: Extent): readonly Attack[] =>
  extent === 'whole' || front === 'nothing'
    ? ATTACKS
    : ATTACKS.filter((_, index) => index % 2 === FRONTS.indexOf(front) % 2);

/**
 * A hostile list, one attack after the other in an order of the seed, through raw sockets, while genuine notifications
 * come in. Names every attack after which something did not hold.
 */
const round = async (seed: number, extent: Extent): Promise<void> => {
  const front = FRONTS[seed % FRONTS.length] ?? 'nothing';
  const random = createRandom(seed);
  const directory = makeDirectory();
  const programs: Program[] = [];
  try {
    const signer = createSigner();
    const ports = (await freePorts(3)) as unknown as Ports;
    const replica = await startProcessReady({
      ...environmentOf(directory, signer),
      PORT: String(ports[0]),
      TRUST_PROXY: '1',
      // As in the image.
      NODE_OPTIONS: settings.NODE_OPTIONS,
      MALLOC_ARENA_MAX: settings.MALLOC_ARENA_MAX,
    });
    programs.push(replica);
    const balancer = await startFront(front, directory, ports);
    if (balancer !== null) programs.push(balancer);
    const address = balancer?.address ?? replica.address;
    const name = `attack-${seed}`;
    const genuine = startGenuine(address, signer, name);
    try {
      const breaches = await attackAll({
        front,
        address,
        replica,
        genuine,
        random,
        signer,
        name,
        attacks: attacksOn(front, extent),
      });
      if (breaches.length > 0) throw new Error(`behind ${front}: ${breaches.join('\n')}`);
    } finally {
      genuine.abandon();
    }
  } finally {
    await Promise.all(programs.map(end));
    removeDirectory(directory);
  }
};

const startFront = async (front: Front, directory: string, ports: Ports) => {
  switch (front) {
    case 'nothing':
      return null;
    case 'deploy/haproxy.cfg':
      return await startHaproxy(directory, ports);
    case 'deploy/nginx.conf':
      return await startNginx(directory, ports);
  }
};

const end = async ({ child, exited }: Program): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
    process.kill(-child.pid, 'SIGKILL');
  await exited;
};

/** What did not hold, with the name of the attack that it follows. */
const attackAll = async (stage: Stage): Promise<readonly string[]> => {
  const breaches: string[] = [];
  const forged: string[] = [];
  for (const attack of stage.random.shuffled(stage.attacks)) {
    const { left, found } = await underAttack(attack, stage);
    breaches.push(...found.map((what) => `after ${attack.name}: ${what}`));
    forged.push(...(left.forged ?? []));
    for (const post of left.genuine ?? []) stage.genuine.deliver(post);
    if (hasEnded(stage.replica)) return breaches;
  }
  const missed = await stage.genuine.end();
  if (missed.length > 0)
    breaches.push(`${missed.length} genuine notifications were never acknowledged: ${missed.slice(0, 3).join('; ')}`);
  return [...breaches, ...(await storedWrongly(stage, forged))];
};

const storedWrongly = async ({ replica, genuine }: Stage, forged: readonly string[]): Promise<readonly string[]> => {
  const stored = new Set((await replica.notifications()).map(({ id }) => id));
  return [
    ...[...genuine.acknowledged()]
      .filter((id) => !stored.has(id))
      .map((id) => `${id} was acknowledged and is not stored`),
    ...forged.filter((id) => stored.has(id)).map((id) => `${id} was forged and is stored as a notification`),
  ];
};

const underAttack = async (
  attack: Attack,
  stage: Stage,
): Promise<{ readonly left: Left; readonly found: readonly string[] }> => {
  const { replica, address, random, signer, name, front } = stage;
  const strangers: Stranger[] = [];
  let over = false;
  const open = async (): Promise<Stranger> => {
    const stranger = await openStranger(address);
    if (over) stranger.leave();
    strangers.push(stranger);
    return stranger;
  };
  const linesBefore = replica.log().length;
  const before = forgetPeak(replica);
  const work = attack.run({ open, random, signer, name });
  const left = (await Promise.race([work, pause(ATTACK_ENDS_AFTER_MS, undefined, { ref: false })])) ?? {};
  over = true;
  for (const stranger of strangers) stranger.leave();
  const answers = strangers.flatMap((stranger) => stranger.answers);
  const found = [
    ...new Set(answers.filter((answer) => !isOurs(answer, front)).map(shown)),
    ...(await stateAfter(replica, before)),
    ...loggedWrongly(replica.log().slice(linesBefore)),
  ];
  return { left, found };
};

const hasEnded = ({ child }: ReceiverProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const stateAfter = async (replica: ReceiverProcess, before: number): Promise<readonly string[]> => {
  if (hasEnded(replica)) return [`the process ended: ${replica.output().stderr.slice(-300)}`];
  const state = await becomesReady(replica);
  if (hasEnded(replica)) return [`the process ended: ${replica.output().stderr.slice(-300)}`];
  const peak = peakMib(replica);
  return [
    ...(state === 'ready' ? [] : [`/readyz within ${READY_WITHIN_MS / 1_000} s: ${state}`]),
    // What an earlier attack took is told there.
    ...(peak > MEMORY_MIB && peak > before + NOTEWORTHY_MIB
      ? [`memory rose from ${before} to ${peak} MiB, beyond ${MEMORY_MIB}`]
      : []),
  ];
};

/** `ready`, or what /readyz answered last. */
const becomesReady = async ({ address }: ReceiverProcess): Promise<string> => {
  const until = performance.now() + READY_WITHIN_MS;
  const ask = async (): Promise<string> =>
    await Promise.race([
      get(address, '/readyz').then(({ status, text }) => (status === 200 ? 'ready' : text), String),
      pause(READY_WITHIN_MS, 'no answer', { ref: false }),
    ]);
  for (;;) {
    const state = await ask();
    if (state === 'ready' || performance.now() > until) return state;
    await pause(100);
  }
};

/** The system measures the process's peak from now on; gives back what it has now, in MiB. */
const forgetPeak = (replica: ReceiverProcess): number => {
  writeFileSync(`/proc/${replica.child.pid}/clear_refs`, '5');
  return peakMib(replica);
};
const peakMib = ({ child }: ReceiverProcess): number =>
  Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024);

const BALANCERS_OWN: Readonly<Record<Front, RegExp | null>> = {
  nothing: null,
  'deploy/haproxy.cfg': /^<html><body><h1>\d{3} [^<]+<\/h1>\n[^<]*\n<\/body><\/html>\n$/,
  'deploy/nginx.conf': /<hr><center>nginx/,
};

/** Ours is JSON or nothing; a balancer may refuse with a page of its own (nginx answers HTTP/0.9 with that alone). */
const isOurs = ({ status, body }: RawAnswer, front: Front): boolean =>
  (status >= 100 && (body === '' || isJson(body))) || BALANCERS_OWN[front]?.test(body) === true;

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return !/\n\s+at /.test(text);
  } catch {
    return false;
  }
};

const shown = ({ head, body }: RawAnswer): string =>
  `a response that is not ours: ${head.split('\r\n')[0]} ${JSON.stringify(body.slice(0, 120))}`;

const loggedWrongly = (lines: readonly Readonly<Record<string, unknown>>[]): readonly string[] => {
  const errors = lines.filter(({ level }) => Number(level) >= 50);
  const addresses = lines.flatMap(({ address }) => (typeof address === 'string' ? [address.length] : []));
  const longest = Math.max(0, ...addresses);
  const [error] = errors;
  return [
    ...(errors.length > ERROR_LINES
      ? [`${errors.length} lines of level error: ${String(error?.['msg'])} (${String(error?.['problem'])})`]
      : []),
    ...(longest > LONGEST_ADDRESS ? [`an address of ${longest} characters in the log`] : []),
  ];
};

export const attack: Campaign = { name: 'attack', short: FRONTS.length, long: 60, round };
