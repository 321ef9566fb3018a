import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { captureResult, jpy, paymentResult } from '../../support/facts.ts';
import { type Admin, openAdmin, READ_TOKEN, signedRequest, toBody, TOKEN } from './support.ts';

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin({ token: TOKEN, readToken: READ_TOKEN });
});
afterEach(async () => await admin.close());

describe('GET /metrics', () => {
  test('is text as Prometheus reads it, and the token that only reads will do', async () => {
    for (const token of [TOKEN, READ_TOKEN]) {
      const { status, headers, text } = await request(admin.app)
        .get('/metrics')
        .set('Authorization', `Bearer ${token}`);
      expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
      expect(text).toMatch(/^# HELP paynotify_/);
    }
  });

  test('takes no parameter', async () => {
    const { status, body } = await request(admin.app).get('/metrics?x=1').set('Authorization', `Bearer ${TOKEN}`);
    expect([status, body.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });

  test('is for nobody without a token', async () => {
    const { status, text } = await request(admin.app).get('/metrics');
    expect(status).toBe(401);
    expect(text).not.toContain('paynotify_');
  });

  test.each(['post', 'put', 'delete'] as const)('takes no %s', async (method) => {
    const { status, headers } = await request(admin.app)[method]('/metrics').set('Authorization', `Bearer ${TOKEN}`);
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  test('shows what is stored', async () => {
    await admin.notify(paymentResult('S', { paymentId: 'P1', paymentAmount: jpy('100') }));
    await admin.notify(captureResult('S', { paymentId: 'P1', captureId: 'C1', captureAmount: jpy('150') }));
    await admin.notify(paymentResult('S', { paymentId: 'P2' }), {
      inapplicable: true,
      receivedAt: new Date(Date.now() - 3_600_000),
    });
    await admin.keepUnverified(signedRequest(toBody(paymentResult('S'))), 'SIGNATURE_MISMATCH');
    const { text } = await request(admin.app).get('/metrics').set('Authorization', `Bearer ${TOKEN}`);
    const lines = text.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'paynotify_orders{status="CAPTURED"} 1',
        'paynotify_orders{status="FAILED"} 0',
        'paynotify_orders_with_attention{code="OVER_CAPTURED"} 1',
        'paynotify_orders_with_attention{code="AUTHORIZATION_EXPIRING"} 0',
        'paynotify_failed_notifications 1',
        'paynotify_unverified_requests{reason="SIGNATURE_MISMATCH"} 1',
        'paynotify_unverified_max_bytes{share="OTHER_KEY"} 500',
        expect.stringMatching(/^paynotify_orders_to_act_on\{action="REVIEW"\} [12]$/),
        expect.stringMatching(/^paynotify_failed_oldest_seconds 36\d\d(\.\d+)?$/),
        expect.stringMatching(/^paynotify_unverified_bytes\{share="OTHER_KEY"\} [1-9]\d+$/),
        expect.stringMatching(/^paynotify_store_bytes [1-9]\d{4,}$/),
        expect.stringMatching(/^paynotify_store_free_bytes [1-9]\d+$/),
        expect.stringMatching(/^paynotify_store_disk_bytes [1-9]\d+$/),
        expect.stringMatching(/^paynotify_store_read_timestamp_seconds 1\d{9}/),
        expect.stringMatching(/^paynotify_last_verified_timestamp_seconds 1\d{9}/),
      ]),
    );
  });
});
