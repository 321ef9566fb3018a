/** What APO waits for, whatever the payment's outcome; any other response makes it send the notification again. */
export const ACKNOWLEDGEMENT = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}';

/** The same shape with the failure status: APO sends the notification again. `message` is ours, never the sender's. */
export const failure = (message: string): string =>
  JSON.stringify({ result: { resultCode: 'ERROR', resultStatus: 'F', resultMessage: message } });
