import { type Failed, playEpisode } from './episode.ts';
import type { Derive } from './facts.ts';

interface Wanted {
  readonly episodes: number;
  /** Of the first; each episode adds one. */
  readonly seed: number;
  readonly derive: Derive;
}

export interface Tally {
  readonly episodes: number;
  readonly shipped: number;
  /** Shipped, and nobody had to look. */
  readonly untouched: number;
  readonly derivations: number;
  readonly seen: ReadonlySet<string>;
}

/** Plays episode after episode, up to the first that fails. */
export const playEpisodes = ({
  episodes,
  seed,
  derive,
}: Wanted): { readonly failed: Failed | null; readonly tally: Tally } => {
  const tally = { episodes: 0, shipped: 0, untouched: 0, derivations: 0, seen: new Set<string>() };
  for (let number = 0; number < episodes; number += 1) {
    const played = playEpisode(seed + number, derive);
    tally.episodes += 1;
    if ('problem' in played) return { failed: played, tally };
    tally.derivations += played.derivations;
    for (const one of played.seen) tally.seen.add(one);
    if (!played.isShipped) continue;
    tally.shipped += 1;
    if (played.looks === 0) tally.untouched += 1;
  }
  return { failed: null, tally };
};

/** The story of a failed episode, and how to play it again. */
export const tellFailure = ({ seed, problem, story }: Failed): string =>
  [`seed ${seed}: ${problem}`, ...story, `play it again: npm run test:model -- --episodes 1 --seed ${seed}`].join('\n');
