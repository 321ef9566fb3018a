const HOURS_BEHIND = 7;
const HOUR = 3_600_000;

/** A time as APO's samples write it: ISO 8601 to the second, with an offset. */
export const stamp = (time: Date | string): string => {
  const local = new Date(new Date(time).getTime() - HOURS_BEHIND * HOUR);
  return `${local.toISOString().slice(0, 19)}-0${HOURS_BEHIND}:00`;
};
