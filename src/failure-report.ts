import { oncePerMinute, problemOf } from './log.ts';
import { StoreUnavailableError } from './store/store.ts';

type Say = (problem: ReturnType<typeof problemOf>) => void;

interface Saying {
  /** In an outage: it has lines of its own, and nothing is lost. */
  readonly waits: Say;
  readonly fails: Say;
}

/** Of work that is tried again by itself: the same words once a minute. */
export const failureReport = ({ waits, fails }: Saying): ((error: unknown) => void) => {
  const isNews = oncePerMinute();
  return (error) => {
    const problem = problemOf(error);
    if (!isNews(problem.error)) return;
    if (error instanceof StoreUnavailableError) waits(problem);
    else fails(problem);
  };
};
