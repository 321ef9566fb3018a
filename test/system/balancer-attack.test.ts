import { expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { type Address, createSigner, PATH, type Post, send } from '../support/client.ts';
import { type Environment, environmentOf, startProcessReady } from '../support/receiver.ts';
import { type Balancer, freePorts, startHaproxy, startNginx } from './balancer.ts';
import { loadDuring, notificationsOf } from './rolling.ts';
import { useSite } from './site.ts';

/** The configurations name three; the third is not there. */
const REPLICAS = 2;
const ATTACKS = 4;
const EVERY_MS = 1_500;

const signer = createSigner();
const { directory, createDatabase } = useSite();

/** Larger than what is kept of an unverified request: a stranger's 503, whenever he likes. */
const UNSIGNED: Post = { method: 'POST', target: PATH, headers: [], body: Buffer.alloc(33 * 1_024, 'x') };

const attack = async (address: Address): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (let sent = 0; sent < ATTACKS; sent += 1) {
    statuses.push((await send(address, UNSIGNED)).status);
    await pause(EVERY_MS);
  }
  return statuses;
};

type Ports = readonly [number, number, number];

const CONFIGURATIONS: readonly (readonly [string, (directory: string, ports: Ports) => Promise<Balancer>])[] = [
  ['nginx.conf', startNginx],
  ['haproxy.cfg', startHaproxy],
];

test.each(CONFIGURATIONS)(
  '%s: an unsigned POST over 32 KiB every other second takes no genuine request down',
  async (_name, startBalancer) => {
    const ports = (await freePorts(3)) as unknown as Ports;
    const shared: Environment = { ...environmentOf(directory(), signer), DATABASE_URL: await createDatabase() };
    for (const port of ports.slice(0, REPLICAS)) await startProcessReady({ ...shared, PORT: String(port) });
    const { address } = await startBalancer(directory(), ports);
    const posts = notificationsOf(signer, 250);
    const { done: statuses, acknowledged, failures } = await loadDuring(attack(address), address, posts);
    expect(failures).toEqual([]);
    expect(acknowledged).toBeGreaterThanOrEqual(posts.length);
    // Each was refused, by nginx itself where the one that is not there was its last try: otherwise nothing was shown.
    expect(statuses.filter((status) => status !== 503 && status !== 502)).toEqual([]);
    expect(statuses).toContain(503);
  },
);
