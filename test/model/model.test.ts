import { beforeAll, describe, expect, test } from '@jest/globals';
import { ATTENTION_CODES } from '../../src/order/attention-code.ts';
import { NEXT_ACTIONS } from '../../src/order/next-action.ts';
import { deriveOrder } from '../../src/order/order.ts';
import { ORDER_STATUSES } from '../../src/order/status.ts';
import { BROKEN_RULES } from './broken-rules.ts';
import { playEpisodes, tellFailure } from './episodes.ts';

const EPISODES = 2_000;
const SEED = 1;

describe('a shop that does literally what nextAction says', () => {
  let result: ReturnType<typeof playEpisodes>;
  beforeAll(() => {
    result = playEpisodes({ episodes: EPISODES, seed: SEED, derive: deriveOrder });
  });

  test('ships nothing unpaid, nothing twice, and leaves nobody waiting', () => {
    expect(result.failed === null ? 'nothing broke' : tellFailure(result.failed)).toBe('nothing broke');
    expect(result.tally.episodes).toBe(EPISODES);
  });

  test('comes to see every status, every action and every code of attention', () => {
    expect([...result.tally.seen].sort()).toEqual([...ORDER_STATUSES, ...NEXT_ACTIONS, ...ATTENTION_CODES].sort());
  });

  test('ships most of its orders, and many of them without anyone having to look', () => {
    expect(result.tally.shipped).toBeGreaterThan(EPISODES * 0.7);
    expect(result.tally.untouched).toBeGreaterThan(EPISODES * 0.25);
  });
});

/** Every third one; all of them: BROKEN=all npm run -s jest -- test/model */
const broken = BROKEN_RULES.filter((_, index) => process.env['BROKEN'] === 'all' || index % 3 === 0);

test.each(broken)('notices that %s', (_mistake, derive) => {
  expect(playEpisodes({ episodes: EPISODES, seed: SEED, derive }).failed).not.toBeNull();
});

test('tells the same story of the same seed', () => {
  const [, derive] = BROKEN_RULES[0];
  const { failed } = playEpisodes({ episodes: EPISODES, seed: SEED, derive });
  if (failed === null) throw new Error('nothing broke');
  expect(failed.story.length).toBeGreaterThan(3);
  expect(playEpisodes({ episodes: 1, seed: failed.seed, derive }).failed).toEqual(failed);
});
