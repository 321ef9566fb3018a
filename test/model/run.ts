import { parseArgs } from 'node:util';
import { deriveOrder } from '../../src/order/order.ts';
import { playEpisodes, tellFailure } from './episodes.ts';

/* `npm run test:model -- [--episodes 100000] [--seed 1]`: each episode adds one to the seed. */

const { values } = parseArgs({
  options: { episodes: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } },
});
const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`not a whole number: ${text}`);
  return Number(text);
};

const began = performance.now();
const { failed, tally } = playEpisodes({
  episodes: wholeNumber(values.episodes),
  seed: wholeNumber(values.seed),
  derive: deriveOrder,
});
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
console.log(
  `${tally.episodes} episodes from seed ${values.seed} in ${seconds} s: ${tally.derivations} derivations, ` +
    `${tally.shipped} shipped, ${tally.untouched} of them without anyone having to look`,
);
if (failed !== null) {
  console.error(tellFailure(failed));
  process.exitCode = 1;
}
