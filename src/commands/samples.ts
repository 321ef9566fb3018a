import type { JsonObject } from '../order/statement.ts';
import type { Sample } from './sample.ts';
import { RETURNED_SAMPLES } from './samples-returned.ts';

const SUCCESS = { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' };

/** Field order and values as printed; `send` writes them as compact JSON. */
const PAYMENT_SAMPLES: readonly Sample[] = [
  {
    name: 'payment-card',
    about: 'PAYMENT_RESULT S: a card payment of GBP 1523, authorized by ADYEN',
    // APO, "Server-to-server mode" (card), step 4: the notification sample, without the stray `},` after
    // acquirerReferenceNo.
    notification: {
      acquirerInfo: {
        acquirerMerchantId: 'WF_wallet_UK',
        acquirerName: 'ADYEN',
        acquirerTransactionId: 'PK6K679WDZS2K8F3',
        referenceRequestId: 'N2025021716031300000460202933868',
      },
      acquirerReferenceNo: 'PK6K679WDZS2K8F3',
      notifyType: 'PAYMENT_RESULT',
      paymentAmount: { currency: 'GBP', value: '1523' },
      paymentCreateTime: '2025-02-16T21:48:05-08:00',
      paymentId: '20250217164010890100111460207325722',
      paymentRequestId: '2025021786031300001258802935146',
      paymentResultInfo: {
        avsResultRaw: 'Y',
        cardBin: '439654',
        cardBrand: 'VISA',
        cardNo: '************6044',
        cvvResultRaw: 'M',
        fingerprint: '2a1b042f23d1a0927175e4fb8893ab9be5f0ffeff54ed87b88f433671fa67cf4',
        funding: 'DEBIT',
        issuerName: 'WISE PAYMENTS LIMITED',
        issuingCountry: 'GB',
        threeDSResult: { cavv: 'N/A', eci: 'N/A', threeDSType: 'INTERNAL', xid: 'N/A' },
      },
      paymentTime: '2025-02-16T21:48:06-08:00',
      result: SUCCESS,
    },
  },
  {
    name: 'capture',
    about: 'CAPTURE_RESULT S: JPY 120, captured by CHECKOUT',
    // APO, "Capture", step 2: the notification sample.
    notification: {
      acquirerReferenceNo: 'pay_6tmvamfcxp5ujbbfjeopyz6v7q',
      result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
      notifyType: 'CAPTURE_RESULT',
      captureTime: '2025-03-16T19:27:19-07:00',
      paymentId: '20250317194010890100111600255689113',
      captureRequestId: 'G153202503171022523041',
      captureId: '20250317194010890100111600255676857',
      acquirerInfo: {
        referenceRequestId: '2025031719031301000600278847294',
        acquirerTransactionId: 'act_yv3fchmu3bre3l3tui5y352yby',
        acquirerMerchantId: 'pc_6cpbmm5qderubjraxrygjehf5q',
        acquirerName: 'CHECKOUT',
      },
      captureAmount: { currency: 'JPY', value: '120' },
    },
  },
  {
    name: 'payment-of-capture',
    about: 'PAYMENT_RESULT S: the card payment that the sample `capture` belongs to',
    // APO, "Server-to-server mode" (card), step 5: what the inquiry says of that payment, in the fields of a
    // notification.
    notification: {
      acquirerInfo: {
        referenceRequestId: '2025031719031300000600278825707',
        acquirerTransactionId: 'pay_6tmvamfcxp5ujbbfjeopyz6v7q',
        acquirerMerchantId: 'pc_6cpbmm5qderubjraxrygjehf5q',
        acquirerName: 'CHECKOUT',
      },
      acquirerReferenceNo: 'pay_6tmvamfcxp5ujbbfjeopyz6v7q',
      notifyType: 'PAYMENT_RESULT',
      paymentAmount: { currency: 'JPY', value: '120' },
      paymentCreateTime: '2025-03-16T19:26:42-07:00',
      paymentId: '20250317194010890100111600255689113',
      paymentRequestId: 'G153202503171022523041',
      paymentResultInfo: {
        cardBrand: 'VISA',
        cardNo: '************1358',
        funding: 'CREDIT',
        issuingCountry: 'JP',
        lastFour: '1358',
      },
      paymentTime: '2025-03-16T19:27:17-07:00',
      result: SUCCESS,
    },
  },
  {
    name: 'capture-brl',
    about: 'CAPTURE_RESULT S: BRL 50000',
    // Alipay docs, "notifyCapture (Checkout Payment)", API Explorer:
    // https://global.alipay.com/docs/ac/ams/notify_capture
    notification: {
      captureAmount: { currency: 'BRL', value: '50000' },
      notifyType: 'CAPTURE_RESULT',
      captureId: '2022XXXXXXX',
      captureRequestId: 'Merchant_Request_ID_XXXXXX',
      captureTime: '2022-11-10T00:34:52-08:00',
      paymentId: '2022XXXXXXX',
      result: SUCCESS,
    },
  },
  {
    name: 'payment-wallet',
    about: 'PAYMENT_RESULT S: a wallet payment of HKD 10000, as the sandbox sent it',
    // A notification of Antom's sandbox of May 2025, published in a PHP example.
    notification: {
      actualPaymentAmount: { currency: 'HKD', value: '10000' },
      notifyType: 'PAYMENT_RESULT',
      paymentAmount: { currency: 'HKD', value: '10000' },
      paymentCreateTime: '2025-05-17T00:57:31-07:00',
      paymentId: '202505171940108001001885J0234117653',
      paymentRequestId: 'PR_1747468651136',
      paymentResultInfo: {},
      paymentTime: '2025-05-17T00:58:04-07:00',
      pspCustomerInfo: { pspCustomerId: '10086', pspName: 'TNG' },
      result: SUCCESS,
    },
  },
  {
    name: 'payment-wallet-unnamed',
    about: 'PAYMENT_RESULT S: the same kind of payment, which names no method',
    // Ours: the sample `payment-wallet` without what names its method.
    notification: {
      notifyType: 'PAYMENT_RESULT',
      paymentAmount: { currency: 'HKD', value: '10000' },
      paymentCreateTime: '2025-05-17T00:57:31-07:00',
      paymentId: '202505171940108001001885J0234117799',
      paymentRequestId: 'PR_1747468651999',
      paymentResultInfo: {},
      paymentTime: '2025-05-17T00:58:04-07:00',
      result: SUCCESS,
    },
  },
  {
    name: 'payment-korean-card',
    about: 'PAYMENT_RESULT S: a Korean card payment of KRW 15000, whose acquirer captures at once',
    // Ours, in the fields of the sample `payment-card`.
    notification: {
      notifyType: 'PAYMENT_RESULT',
      paymentAmount: { currency: 'KRW', value: '15000' },
      paymentCreateTime: '2025-06-02T11:20:14+09:00',
      paymentId: '20250602194010890100111460207360088',
      paymentRequestId: '2025060286031300001258802970665',
      paymentResultInfo: { cardBrand: 'BC', cardNo: '************2281', funding: 'CREDIT', issuingCountry: 'KR' },
      paymentTime: '2025-06-02T11:20:15+09:00',
      result: SUCCESS,
    },
  },
  {
    name: 'subscription-payment',
    about: 'PAYMENT_RESULT S of a subscription: a payment like any other',
    // Ours, in the fields of the sample `payment-card`.
    notification: {
      notifyType: 'PAYMENT_RESULT',
      paymentAmount: { currency: 'GBP', value: '999' },
      paymentCreateTime: '2025-03-01T00:00:07-08:00',
      paymentId: '20250301164010890100111460207371190',
      paymentRequestId: '2025030186031300001258802981776',
      paymentResultInfo: { cardBrand: 'VISA', cardNo: '************6044', funding: 'DEBIT', issuingCountry: 'GB' },
      paymentTime: '2025-03-01T00:00:08-08:00',
      periodEndTime: '2025-03-31T23:59:59-07:00',
      periodStartTime: '2025-03-01T00:00:00-08:00',
      phaseNo: '2',
      result: SUCCESS,
      subscriptionId: '202502011900000000000001U0000010',
      subscriptionRequestId: 'SUBSCRIPTION_20250201',
    },
  },
  {
    name: 'payment-declined',
    about: 'PAYMENT_RESULT F: a decline',
    // Ours. As in APO's own sample of a failure there is no amount and no time.
    notification: {
      notifyType: 'PAYMENT_RESULT',
      paymentId: '20250217164010890100111460207330018',
      paymentRequestId: '2025021786031300001258802940271',
      result: { resultCode: 'RISK_REJECT', resultMessage: 'The risk control rejects.', resultStatus: 'F' },
    },
  },
  {
    name: 'payment-pending',
    about: 'PAYMENT_PENDING S: a payment under way, which is not a payment made',
    // Ours, in the fields of a PAYMENT_RESULT.
    notification: {
      notifyType: 'PAYMENT_PENDING',
      paymentAmount: { currency: 'GBP', value: '1523' },
      paymentCreateTime: '2025-02-16T21:48:05-08:00',
      paymentId: '20250217164010890100111460207341944',
      paymentRequestId: '2025021786031300001258802951123',
      result: SUCCESS,
    },
  },
  {
    name: 'update-amount',
    about: 'UPDATE_AMOUNT_RESULT S: the authorization of the sample `payment-card` is raised to GBP 1828',
    // Ours: APO prints no sample. Its amount is the new total.
    notification: {
      notifyType: 'UPDATE_AMOUNT_RESULT',
      paymentAmount: { currency: 'GBP', value: '1828' },
      paymentId: '20250217164010890100111460207325722',
      paymentRequestId: '2025021786031300001258802935146',
      result: SUCCESS,
      updateRequestId: 'update-2025021786031300001258802935146',
    },
  },
  {
    name: 'capture-failed',
    about: 'CAPTURE_RESULT F: the authorization has expired',
    // Ours: the sample `capture` with a code of the notifyCapture page's table.
    notification: {
      result: { resultStatus: 'F', resultCode: 'AUTH_EXPIRED', resultMessage: 'The payment authorization is expired.' },
      notifyType: 'CAPTURE_RESULT',
      paymentId: '20250317194010890100111600255689113',
      captureRequestId: 'G153202503171022523099',
      captureId: '20250317194010890100111600255676999',
      captureAmount: { currency: 'JPY', value: '120' },
    },
  },
];

export const SAMPLES: readonly Sample[] = [...PAYMENT_SAMPLES, ...RETURNED_SAMPLES];

/** A field of text; `''` where there is none. */
export const textOf = (notification: JsonObject, name: string): string => {
  const value = notification[name];
  return typeof value === 'string' ? value : '';
};

export const findSample = (name: string): Sample | null => SAMPLES.find((sample) => sample.name === name) ?? null;
