/** A sleep that can be cut short. */
export interface Nap {
  /** Resolves after so many milliseconds, or as soon as somebody wakes it; at once if that was since the last one. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly wake: () => void;
}

export const createNap = (): Nap => {
  let isWoken = false;
  let end: (() => void) | null = null;
  return {
    sleep: async (ms) => {
      if (!isWoken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, ms));
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isWoken = false;
    },
    wake: () => {
      isWoken = true;
      end?.();
    },
  };
};
