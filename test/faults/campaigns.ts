import { antom } from './antom.ts';
import { attack } from './attack.ts';
import type { Campaign } from './campaign.ts';
import { clock } from './clock.ts';
import { crash } from './crash.ts';
import { database } from './database.ts';
import { disk } from './disk.ts';
import { fuzz } from './fuzz.ts';
import { power } from './power.ts';
import { shop } from './shop.ts';
import { storm } from './storm.ts';

/** They need Node and npm only: `npm test` has a short run of each. */
export const PLAIN: readonly Campaign[] = [crash, storm, fuzz, database];

/** They compile a library that is preloaded into the service: the system tests have a short run of each. */
export const WITH_COMPILER: readonly Campaign[] = [power, disk, clock];

/** They put HAProxy and nginx in front: the system tests have a short run of each. */
const WITH_PROXIES: readonly Campaign[] = [attack];

/** Every campaign there is. */
export const CAMPAIGNS: readonly Campaign[] = [...PLAIN, shop, antom, ...WITH_COMPILER, ...WITH_PROXIES];
