import { finishLater as finishCapture } from './operations/capture.ts';
import { finishLater as finishPayment, lapseLater } from './operations/pay.ts';
import { finishLater as finishRefund } from './operations/refund.ts';
import { withStatus } from './ledger.ts';
import type { World } from './world.ts';

/** Goes on with what was under way when the run before ended. What it had not sent is not sent: APO forgets, too. */
export const resume = (world: World): void => {
  for (const payment of world.ledger.payments()) {
    const { paymentId, captureMode, result, gone, captures, refunds } = payment;
    if (gone === null && result.resultStatus === 'U') finishPayment(world, payment);
    if (gone === null && result.resultStatus === 'S' && captureMode === 'MANUAL') lapseLater(world, payment);
    for (const entry of withStatus(captures, 'U')) finishCapture(world, entry, paymentId);
    for (const entry of withStatus(refunds, 'U')) finishRefund(world, entry, paymentId);
  }
};
