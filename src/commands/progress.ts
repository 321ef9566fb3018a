import type { Terminal } from './shell.ts';

/** What is under way and how far it has come. */
export interface Step {
  readonly text: string;
  readonly done: number;
  readonly total: number;
}

export interface ProgressBar {
  readonly show: (step: Step) => void;
  /** Leaves the line for what is printed next. */
  readonly end: () => void;
}

const WIDTH = 30;
/** Fast enough for an eye, slow enough to cost nothing. */
const REDRAWN_EVERY_MS = 100;
/** Where nobody watches, a line now and then says that it goes on. */
const LINE_EVERY_MS = 5_000;

/** A bar that is drawn over itself on a terminal; elsewhere a line now and then. `now` is a clock in milliseconds. */
export const createProgressBar = (
  { err, overwrite }: Pick<Terminal, 'err' | 'overwrite'>,
  now = () => performance.now(),
): ProgressBar => {
  const every = overwrite === null ? LINE_EVERY_MS : REDRAWN_EVERY_MS;
  let last = overwrite === null ? now() : -Infinity;
  return {
    show: (step) => {
      if (now() - last < every) return;
      last = now();
      if (overwrite === null) err(lineOf(step));
      else overwrite(barOf(step));
    },
    end: () => overwrite?.(''),
  };
};

/** A live source may have more by now than it had when it was counted. */
const shareOf = ({ done, total }: Step): number => (total === 0 ? 1 : Math.min(1, done / total));

const barOf = (step: Step): string => {
  const full = Math.round(shareOf(step) * WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${lineOf(step)}`;
};

const lineOf = (step: Step): string =>
  `${String(Math.floor(shareOf(step) * 100)).padStart(3)} %  ${step.text} (${step.done} of ${step.total})`;
