import type { Campaign } from './campaign.ts';
import { crash } from './crash.ts';
import { disk } from './disk.ts';
import { fuzz } from './fuzz.ts';
import { power } from './power.ts';
import { storm } from './storm.ts';

/** Every campaign there is, the most important first. */
export const CAMPAIGNS: readonly Campaign[] = [crash, power, disk, storm, fuzz];
