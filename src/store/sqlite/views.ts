import { createViews } from '../views.ts';

const at = (path: readonly string[]): string => `'$.${path.join('.')}'`;

/** A number as long as it fits into 64 bits, else its digits. */
const amount = (text: string): string => `(
          select case
            when length(digits) < 19 or (length(digits) = 19 and digits <= '9223372036854775807')
            then cast(digits as integer)
            else digits
          end
          from (select ${text} as digits)
        )`;

const DIGITS = (count: number): string => '[0-9]'.repeat(count);
const MINUTES = `${DIGITS(4)}-${DIGITS(2)}-${DIGITS(2)}T${DIGITS(2)}:${DIGITS(2)}`;

/**
 * ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString` writes it; null for what is no time by
 * order/time.ts. SQLite rolls a day that the month does not have over
 * into the next one, knows no offset without a colon or beyond 14 hours, and rounds: so it is only asked what it knows.
 */
const time = (text: string): string => `(
          select case
            when stated glob '${DIGITS(13)}'
            then strftime('%Y-%m-%dT%H:%M:%S', substr(stated, 1, 10), 'unixepoch') || '.' || substr(stated, 11) || 'Z'
            when stated glob '${MINUTES}*' and strftime('%Y-%m-%dT%H:%M:%S', local) = local
              and (fraction = '' or substr(stated, 17, 1) = ':' and length(fraction) between 2 and 10)
              and (
                zone = 'Z' or zone glob '[+-]${DIGITS(4)}' and substr(zone, 2, 2) < '24' and substr(zone, 4) < '60'
              )
            then strftime(
              '%Y-%m-%dT%H:%M:%S',
              strftime('%s', local) - iif(zone = 'Z', 0, (substr(zone, 1, 1) || '1') * (substr(zone, 2, 2) * 3600 + substr(zone, 4) * 60)),
              'unixepoch'
            ) || '.' || substr(substr(fraction, 2) || '000', 1, 3) || 'Z'
          end
          from (
            select stated, local, substr(tail, 1, length(tail) - length(zone_as_stated)) as fraction,
              iif(substr(zone_as_stated, 4, 1) = ':', substr(zone_as_stated, 1, 3) || substr(zone_as_stated, 5), zone_as_stated) as zone
            from (
              select stated, local, tail,
                iif(tail glob '[.,]*', ltrim(substr(tail, 2), '0123456789'), tail) as zone_as_stated
              from (
                select stated,
                  iif(substr(stated, 17, 1) = ':', substr(stated, 1, 19), substr(stated, 1, 16) || ':00') as local,
                  iif(substr(stated, 17, 1) = ':', substr(stated, 20), substr(stated, 17)) as tail
                from (select ${text} as stated)
              )
            )
          )
        )`;

export const VIEWS = createViews({
  orders: 'orders',
  order: 'orders.content',
  parts: (list) => `join json_each(orders.content, '$.${list}') as parts`,
  part: 'parts.value',
  json: (column) => column,
  field: (json, type, path) => {
    const value = `json_extract(${json}, ${at(path)})`;
    switch (type) {
      case 'amount':
        return amount(value);
      case 'time':
        return time(value);
      case 'text':
      case 'number':
      case 'boolean':
      case 'json':
        return value;
    }
  },
  time: (column) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`,
  codes: `iif(attention = '', '[]', '["' || replace(trim(attention), '  ', '","') || '"]')`,
});
