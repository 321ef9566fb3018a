import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { blocksOf, readPage } from '../docs/blocks.ts';
import { createSigner, get } from '../support/client.ts';
import { paymentResult } from '../support/facts.ts';
import { environmentOf, makeDirectory, removeDirectories, startReady } from '../support/receiver.ts';

const RULES = fileURLToPath(new URL('../../deploy/prometheus/paynotify.rules.yaml', import.meta.url));

const signer = createSigner();
const directory = makeDirectory();
afterAll(removeDirectories);

const promtool = (words: readonly string[], input = ''): { readonly code: number | null; readonly said: string } => {
  const { error, status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8', input });
  if (error !== undefined) throw new Error('promtool is missing: apt-get install --no-install-recommends prometheus');
  return { code: status, said: `${stdout}${stderr}` };
};

type Series = Readonly<Record<string, string>>;

/** Time begins at 0 and goes on in steps; `0+60x99` grows by 60 a step, `7x99` stays. */
interface Situation {
  readonly name: string;
  /** In place of the healthy ones of the same name, or beside them. */
  readonly series: Series;
  /** The alerts that fire at a time, and no others. */
  readonly firing: Readonly<Record<string, readonly string[]>>;
}

const A = 'instance="a"';
const HEALTHY: Series = {
  [`paynotify_build_info{${A}}`]: '1x600',
  [`paynotify_ready{${A}}`]: '1x600',
  [`paynotify_last_verified_timestamp_seconds{${A}}`]: '0+60x600',
  [`paynotify_store_read_timestamp_seconds{${A}}`]: '0+60x600',
  [`paynotify_notifications_total{kind="PAYMENT",outcome="APPLIED",${A}}`]: '0+5x600',
  [`paynotify_resends_total{${A}}`]: '0x600',
  [`paynotify_unverified_total{reason="SIGNATURE_MISMATCH",${A}}`]: '0x600',
  [`paynotify_unverified_total{reason="MISSING_HEADER",${A}}`]: '0+1x600',
  [`paynotify_diagnosed_total{diagnosis="TEXT_CHANGED_PATH",${A}}`]: '0x600',
  [`paynotify_refused_total{cause="STORE_UNAVAILABLE",${A}}`]: '0x600',
  [`paynotify_refused_total{cause="NOT_FOUND",${A}}`]: '0+9x600',
  [`paynotify_failed_oldest_seconds{${A}}`]: '0x600',
  [`paynotify_orders_to_act_on{action="REVIEW",${A}}`]: '0x600',
  [`paynotify_acknowledge_seconds_bucket{le="0.005",${A}}`]: '0+100x600',
  [`paynotify_acknowledge_seconds_bucket{le="2.5",${A}}`]: '0+100x600',
  [`paynotify_acknowledge_seconds_bucket{le="+Inf",${A}}`]: '0+100x600',
  [`paynotify_queue_oldest_seconds{${A}}`]: '0.01x600',
  [`paynotify_queue_requests{${A}}`]: '12x600',
  [`paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRING",${A}}`]: '0x600',
  [`paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRED",${A}}`]: '3x600',
  [`paynotify_callbacks_oldest_seconds{${A}}`]: '5x600',
  [`paynotify_feed_held_up_seconds{${A}}`]: '0x600',
  [`paynotify_inquiries_held_back_seconds{${A}}`]: '0x600',
  [`paynotify_moves_oldest_seconds{${A}}`]: '5x600',
  [`paynotify_store_free_bytes{${A}}`]: '500x600',
  [`paynotify_store_disk_bytes{${A}}`]: '1000x600',
  [`paynotify_store_bytes{${A}}`]: '500x600',
  [`paynotify_unverified_bytes{share="ALL",${A}}`]: '10x600',
  [`paynotify_unverified_max_bytes{share="ALL",${A}}`]: '100x600',
};

const SITUATIONS: readonly Situation[] = [
  { name: 'healthy', series: {}, firing: { '2h': [] } },
  {
    name: 'strangers alone fail verification',
    series: { [`paynotify_unverified_total{reason="MISSING_HEADER",${A}}`]: '0+500x600' },
    firing: { '2h': [] },
  },
  {
    name: 'some requests fail verification while others verify',
    series: { [`paynotify_unverified_total{reason="SIGNATURE_MISMATCH",${A}}`]: '0+5x600' },
    firing: { '2h': [] },
  },
  {
    name: 'nothing verifies',
    series: {
      [`paynotify_unverified_total{reason="SIGNATURE_MISMATCH",${A}}`]: '0+5x600',
      [`paynotify_notifications_total{kind="PAYMENT",outcome="APPLIED",${A}}`]: '0x600',
    },
    firing: { '1h': ['PaynotifyNothingVerifies'] },
  },
  {
    name: 'an unknown client, and nothing ever has verified',
    series: {
      [`paynotify_unverified_total{reason="UNKNOWN_CLIENT",${A}}`]: '0+5x600',
      [`paynotify_last_verified_timestamp_seconds{${A}}`]: '_x600',
    },
    firing: { '1h': ['PaynotifyNothingVerifies'] },
  },
  {
    name: 'an unknown client, and nothing verifies just now',
    series: {
      [`paynotify_unverified_total{reason="UNKNOWN_CLIENT",${A}}`]: '0+5x600',
      [`paynotify_notifications_total{kind="PAYMENT",outcome="APPLIED",${A}}`]: '0x600',
    },
    firing: { '1h': [] },
  },
  {
    name: 'only resends verify',
    series: {
      [`paynotify_unverified_total{reason="SIGNATURE_MISMATCH",${A}}`]: '0+5x600',
      [`paynotify_notifications_total{kind="PAYMENT",outcome="APPLIED",${A}}`]: '0x600',
      [`paynotify_resends_total{${A}}`]: '0+1x600',
    },
    firing: { '1h': [] },
  },
  {
    name: 'a proxy changes the text',
    series: { [`paynotify_diagnosed_total{diagnosis="TEXT_CHANGED_PATH",${A}}`]: '0x50 1x500' },
    firing: { '1h': ['PaynotifyTextChanged'] },
  },
  {
    name: 'a proxy changed the text two hours ago',
    series: { [`paynotify_diagnosed_total{diagnosis="TEXT_CHANGED_PATH",${A}}`]: '0x5 1x500' },
    firing: { '2h': [] },
  },
  {
    name: 'the database is down',
    series: { [`paynotify_refused_total{cause="STORE_UNAVAILABLE",${A}}`]: '0x30 0+10x500' },
    firing: { '40m': ['PaynotifyNotStored'] },
  },
  {
    name: 'a replica is not ready',
    series: { 'paynotify_ready{instance="b"}': '0x600' },
    firing: { '10m': ['PaynotifyNotReady'] },
  },
  {
    name: 'a replica drains',
    series: { 'paynotify_ready{instance="b"}': '1x8 0x1 _x500' },
    firing: { '10m': [] },
  },
  {
    name: 'a notification is FAILED',
    series: { [`paynotify_failed_oldest_seconds{${A}}`]: '0+60x600' },
    firing: { '11m': ['PaynotifyFailed'] },
  },
  {
    name: 'a notification was FAILED for a moment',
    series: { [`paynotify_failed_oldest_seconds{${A}}`]: '0x5 300x2 0x500' },
    firing: { '10m': [] },
  },
  {
    name: 'a notification is MALFORMED',
    series: { [`paynotify_notifications_total{kind="UNKNOWN",outcome="MALFORMED",${A}}`]: '0x20 1x500' },
    firing: { '15m': [], '25m': ['PaynotifyMalformed'], '2h': [] },
  },
  {
    name: 'an order for a person, and no day to compare with',
    series: { [`paynotify_orders_to_act_on{action="REVIEW",${A}}`]: '0x60 1x500' },
    firing: { '2h30m': ['PaynotifyReviewsGrow'] },
  },
  {
    name: 'a capture failed that another try may mend, and nobody tries',
    series: { [`paynotify_orders_to_act_on{action="RETRY_CAPTURE",${A}}`]: '0x60 1x500' },
    firing: { '1h30m': [], '2h30m': ['PaynotifyFailedCapturesGrow'] },
  },
  {
    name: 'a capture failed, and was made again within the hour',
    series: { [`paynotify_orders_to_act_on{action="RETRY_CAPTURE",${A}}`]: '0x60 1x50 0x500' },
    firing: { '2h': [], '3h': [] },
  },
  {
    name: "a capture failed about which APO's support is to be asked",
    series: { [`paynotify_orders_to_act_on{action="CONTACT_SUPPORT",${A}}`]: '0x60 1x500' },
    firing: { '2h30m': ['PaynotifyFailedCapturesGrow'] },
  },
  {
    name: 'orders are to be asked about, for ever',
    series: { [`paynotify_orders_to_act_on{action="INQUIRE",${A}}`]: '7x600' },
    firing: { '5h': [] },
  },
  {
    name: 'acknowledgements take seconds',
    series: { [`paynotify_acknowledge_seconds_bucket{le="0.005",${A}}`]: '0+50x600' },
    firing: { '30m': ['PaynotifySlow'] },
  },
  {
    name: 'acknowledgements take seconds for a moment',
    series: { [`paynotify_acknowledge_seconds_bucket{le="0.005",${A}}`]: '0+50x3 250+100x500' },
    firing: { '12m': [] },
  },
  {
    name: 'requests queue for long',
    series: { [`paynotify_queue_oldest_seconds{${A}}`]: '2x600' },
    firing: { '10m': ['PaynotifyQueueGrows'] },
  },
  {
    name: 'many requests queue',
    series: { [`paynotify_queue_requests{${A}}`]: '2000x600' },
    firing: { '10m': ['PaynotifyQueueGrows'] },
  },
  {
    name: 'authorizations end soon',
    series: { [`paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRING",${A}}`]: '2x600' },
    firing: { '30m': ['PaynotifyAuthorizationsExpire'] },
  },
  {
    name: 'an authorization has ended',
    series: {
      [`paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRING",${A}}`]: '1x60 0x500',
      [`paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRED",${A}}`]: '3x60 4x500',
    },
    firing: { '50m': ['PaynotifyAuthorizationsExpire'], '62m': ['PaynotifyAuthorizationsLapsed'] },
  },
  {
    name: 'a shop does not answer its callbacks',
    series: { [`paynotify_callbacks_oldest_seconds{${A}}`]: '0+60x600' },
    firing: { '16m': [], '20m': ['PaynotifyCallbacksWait'] },
  },
  {
    name: 'a shop was away for ten minutes',
    series: { [`paynotify_callbacks_oldest_seconds{${A}}`]: '0+60x10 0x500' },
    firing: { '12m': [], '30m': [] },
  },
  {
    name: 'a transaction of PostgreSQL holds the change feed up',
    series: { [`paynotify_feed_held_up_seconds{${A}}`]: '0+60x600' },
    firing: { '16m': [], '20m': ['PaynotifyFeedHeldUp'] },
  },
  {
    name: 'APO does not answer inquiries',
    series: { [`paynotify_inquiries_held_back_seconds{${A}}`]: '0+60x600' },
    firing: { '1h': [], '70m': ['PaynotifyInquiriesHeldBack'] },
  },
  {
    name: 'APO does not say what became of a capture',
    series: { [`paynotify_moves_oldest_seconds{${A}}`]: '0+60x600' },
    firing: { '1h': [], '70m': ['PaynotifyMovesUndecided'] },
  },
  {
    name: 'the disk is nearly full',
    series: { [`paynotify_store_free_bytes{${A}}`]: '500x20 99x500' },
    firing: { '20m': [], '27m': ['PaynotifyDiskNearlyFull'] },
  },
  {
    name: 'the disk is nearly full, of anything but the database',
    series: { [`paynotify_store_free_bytes{${A}}`]: '60x600', [`paynotify_store_bytes{${A}}`]: '1x600' },
    firing: { '10m': ['PaynotifyDiskNearlyFull'] },
  },
  {
    name: 'a database is small on a disk that is as small',
    series: { [`paynotify_store_free_bytes{${A}}`]: '101x600', [`paynotify_store_bytes{${A}}`]: '899x600' },
    firing: { '30m': [] },
  },
  {
    name: 'the room for unverified requests is nearly full',
    series: { [`paynotify_unverified_bytes{share="ALL",${A}}`]: '81x600' },
    firing: { '30m': ['PaynotifyUnverifiedNearlyFull'] },
  },
  {
    name: 'the database answers no counts',
    series: { [`paynotify_store_read_timestamp_seconds{${A}}`]: '0+60x30 1800x500' },
    firing: { '2h': ['PaynotifyFiguresOld'] },
  },
  {
    name: 'another replica reads the counts',
    series: {
      [`paynotify_store_read_timestamp_seconds{${A}}`]: '0+60x30 1800x500',
      'paynotify_store_read_timestamp_seconds{instance="b"}': '0+60x600',
    },
    firing: { '2h': [] },
  },
  {
    name: 'no replica is scraped',
    series: { [`paynotify_build_info{${A}}`]: '1x5 _x500' },
    firing: { '30m': ['PaynotifyGone'] },
  },
  {
    name: 'APO says of payments what no notification ever has',
    series: {
      [`paynotify_orders{status="CAPTURED",${A}}`]: '1x600',
      [`paynotify_last_verified_timestamp_seconds{${A}}`]: '_x600',
    },
    firing: { '50m': [], '70m': ['PaynotifyNeverVerified'] },
  },
  {
    name: 'nobody pays, and nothing ever has verified',
    series: {
      [`paynotify_orders{status="CAPTURED",${A}}`]: '0x600',
      [`paynotify_orders{status="PROCESSING",${A}}`]: '3x600',
      [`paynotify_orders{status="CANCELLED",${A}}`]: '3x600',
      [`paynotify_last_verified_timestamp_seconds{${A}}`]: '_x600',
    },
    firing: { '2h': [] },
  },
  {
    name: 'silent for long, and no week to compare with',
    series: { [`paynotify_last_verified_timestamp_seconds{${A}}`]: '0x600' },
    firing: { '9h': [] },
  },
];

/** Nine days in steps of 15 minutes: 96 a day. Each night nothing verifies for eight hours. */
const DAY = 86_400;
const EVENING = 57_600;
const verifying = (day: number): string => `${day * DAY}+900x63`;
const NINE_DAYS = Array.from({ length: 9 }, (_, day) => `${verifying(day)} ${day * DAY + EVENING}x31`).join(' ');
const STEADY = `0+900x${9 * 96 - 1}`;

const FOR_A_PERSON = `paynotify_orders_to_act_on{action="REVIEW",${A}}`;
const LAST_VERIFIED = `paynotify_last_verified_timestamp_seconds{${A}}`;

const BY_DAYS: readonly Situation[] = [
  {
    name: 'eight hours are usual',
    series: { [LAST_VERIFIED]: `${NINE_DAYS} ${9 * DAY}x300` },
    firing: { '8d23h45m': [], '9d11h': [], '9d13h': ['PaynotifySilent'], '12d': ['PaynotifySilent'] },
  },
  {
    name: 'another replica receives',
    series: {
      [LAST_VERIFIED]: `${NINE_DAYS} ${9 * DAY}x99`,
      'paynotify_last_verified_timestamp_seconds{instance="b"}': '0+900x1000',
    },
    firing: { '9d13h': [] },
  },
  {
    name: 'no week to compare with',
    series: { [LAST_VERIFIED]: '0x101' },
    firing: { '23h': [], '25h': ['PaynotifySilent'] },
  },
  {
    name: 'minutes are usual',
    series: { [LAST_VERIFIED]: `${STEADY} ${9 * DAY}x50` },
    firing: { '9d15m': [], '9d1h': ['PaynotifySilent'] },
  },
  {
    name: 'authorizations end, one while another is found cancelled',
    series: {
      [LAST_VERIFIED]: '0+900x400',
      [`paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRED",${A}}`]: '3x99 2x3 3x300',
    },
    firing: {
      '1d': [],
      '1d3h': ['PaynotifyAuthorizationsLapsed'],
      '2d1h': ['PaynotifyAuthorizationsLapsed'],
      '2d3h': [],
    },
  },
  {
    name: 'more orders for a person than at any time of the day before',
    series: { [LAST_VERIFIED]: '0+900x250', [FOR_A_PERSON]: '3x90 2x20 6x150' },
    firing: { '1d2h': [], '1d10h': ['PaynotifyReviewsGrow'], '2d10h': [] },
  },
  {
    name: 'more captures failed than at any time of the day before',
    series: {
      [LAST_VERIFIED]: '0+900x250',
      [`paynotify_orders_to_act_on{action="RETRY_CAPTURE",${A}}`]: '1x250',
      [`paynotify_orders_to_act_on{action="CONTACT_SUPPORT",${A}}`]: '3x90 2x20 6x150',
    },
    firing: { '1d2h': [], '1d10h': ['PaynotifyFailedCapturesGrow'], '2d10h': [] },
  },
];

/** The tests of the rules as promtool reads them: at those instants exactly these alerts fire. */
const testsOf = (situations: readonly Situation[], interval: string): string =>
  stringify({
    rule_files: [RULES],
    evaluation_interval: interval,
    tests: situations.map(({ name, series, firing }) => ({
      name,
      interval,
      input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
      promql_expr_test: Object.entries(firing).map(([at, alerts]) => ({
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: at,
        exp_samples: alerts.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
      })),
    })),
  });

const run = (situations: readonly Situation[], interval: string): ReturnType<typeof promtool> => {
  const file = join(directory, `${interval}.yaml`);
  writeFileSync(file, testsOf(situations, interval));
  return promtool(['test', 'rules', file]);
};

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string }[] }[];
}

test('the configuration of Prometheus in docs/operating.md is one', () => {
  const [block = ''] = blocksOf(readPage('docs/operating.md'), 'yaml');
  const file = join(directory, 'prometheus.yaml');
  writeFileSync(file, block);
  expect(promtool(['check', 'config', '--syntax-only', file])).toMatchObject({ code: 0 });
});

describe('the alerting rules', () => {
  test('are rules, to promtool', () => {
    expect(promtool(['check', 'rules', '--lint-fatal', RULES])).toMatchObject({ code: 0 });
  });

  test('each fires in its situation, and none in another', () => {
    const healthy = SITUATIONS.map((one) => ({ ...one, series: { ...HEALTHY, ...one.series } }));
    expect(run(healthy, '1m')).toEqual({ code: 0, said: expect.stringContaining('SUCCESS') });
  });

  test('what is compared with other days goes by the days of this merchant', () => {
    const scraped = { [`paynotify_build_info{${A}}`]: '1x1400' };
    const days = BY_DAYS.map((one) => ({ ...one, series: { ...scraped, ...one.series } }));
    expect(run(days, '15m')).toEqual({ code: 0, said: expect.stringContaining('SUCCESS') });
  });

  test('all of them were seen firing', () => {
    const { groups } = parse(readFileSync(RULES, 'utf8')) as Rules;
    const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
    const seen = new Set([...SITUATIONS, ...BY_DAYS].flatMap(({ firing }) => Object.values(firing).flat()));
    expect(alerts.filter((alert) => !seen.has(alert))).toEqual([]);
  });
});

test('what a service answers a scrape with is clean, to promtool', async () => {
  const receiver = await startReady(directory, environmentOf(directory, signer));
  try {
    await receiver.post(signer.sign(paymentResult('S')));
    const { text } = await get(receiver.admin, '/metrics');
    expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, said: '' });
  } finally {
    await receiver.stop();
  }
});
