import sequencer from '@jest/test-sequencer';

/** What takes longest, much of it waiting: begun at the end, it would leave the other cores without work. */
const LONGEST = [
  'system/bench',
  'system/campaigns',
  'system/attack',
  'system/balancer-haproxy',
  'system/power',
  'faults/campaigns',
  'faults/shop',
  'faults/antom',
  'store/postgres-failover',
  'order/law-5',
  'docs/commands',
  'store/check',
  'order/mutants',
  'order/law-4-core',
  'order/law-4.test',
  'store/postgres',
  'store/starts',
  'store/copy',
];

const placeOf = ({ path }) => {
  const place = LONGEST.findIndex((name) => path.includes(`/test/${name}`));
  return place === -1 ? LONGEST.length : place;
};

/** Jest itself knows how long files took only after a first run, which CI never has. */
export default class LongestFirst extends (sequencer.default ?? sequencer) {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => placeOf(a) - placeOf(b));
  }
}
