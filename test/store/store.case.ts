import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { describeCallbacks } from './callbacks.case.ts';
import { describeCallbacksTold } from './callbacks-told.case.ts';
import { describeFeed } from './feed.case.ts';
import { describeInquiries } from './inquiries.case.ts';
import { describeJoins } from './joins.case.ts';
import { describeLists } from './lists.case.ts';
import { describeOrders } from './orders.case.ts';
import { describeMeasuring } from './measure.case.ts';
import { describeMended } from './mended.case.ts';
import { describeMoves } from './moves.case.ts';
import { describeRecording } from './recording.case.ts';
import { describeRepair } from './repair.case.ts';
import { describeRetention } from './retention.case.ts';
import type { Ground } from './support.ts';
import { describeReviews } from './reviews.case.ts';
import { describeTimeline } from './timeline.case.ts';
import { describeUnverified } from './unverified.case.ts';
import { describeUnverifiedRoom } from './unverified-room.case.ts';

/** The contract of the port, on one kind of database. */
export const describeStore = (name: string, lay: () => Promise<Ground>): void => {
  describe(`the store on ${name}`, () => {
    const { ground, set } = late<Ground>();

    beforeAll(async () => set(await lay()));
    afterEach(async () => await ground().closeOpened());
    afterAll(async () => await ground().remove());

    describeRecording(ground);
    describeOrders(ground);
    describeUnverified(ground);
    describeUnverifiedRoom(ground);
    describeRepair(ground);
    describeRetention(ground);
    describeLists(ground);
    describeFeed(ground);
    describeJoins(ground);
    describeInquiries(ground);
    describeMended(ground);
    describeReviews(ground);
    describeMoves(ground);
    describeMeasuring(ground);
    describeTimeline(ground);
    describeCallbacks(ground);
    describeCallbacksTold(ground);
  });
};

/** What exists only once the tests run, though they are described before. */
const late = <T>(): { readonly ground: () => T; readonly set: (value: T) => void } => {
  const box: T[] = [];
  return {
    ground: () => {
      const [value] = box;
      if (value === undefined) throw new Error('the database is not open');
      return value;
    },
    set: (value) => {
      box[0] = value;
    },
  };
};
