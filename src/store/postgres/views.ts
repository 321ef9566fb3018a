import { createViews } from '../views.ts';

const at = (path: readonly string[]): string => `'{${path.join(',')}}'`;

const ISO =
  '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?' +
  '(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$';

/**
 * What is no time by order/time.ts is null, but for one that its offset takes out of the year 9999, and so is one of
 * the year 0. The offset is added by hand: PostgreSQL takes none beyond 15:59. A regular expression that captures the
 * parts takes five times as long.
 */
const TIME = `
      create function paynotify_time(text) returns timestamptz language plpgsql immutable strict parallel safe as $$
      declare
        zone text;
        stated timestamptz;
      begin
        if $1 ~ '^[0-9]{13}$' then
          return to_timestamp($1::bigint / 1000) + ($1::bigint % 1000) * interval '1 millisecond';
        end if;
        if $1 !~ '${ISO}' or $1 like '0000%' then
          return null;
        end if;
        if substr($1, 9, 2) > '28' and substr($1, 9, 2)::integer > extract(
          day from make_date(substr($1, 1, 4)::integer, substr($1, 6, 2)::integer, 1) + interval '1 month - 1 day'
        ) then
          return null;
        end if;
        zone := case
          when right($1, 1) = 'Z' then 'Z'
          when left(right($1, 3), 1) = ':' then right($1, 6)
          else right($1, 5)
        end;
        -- To the millisecond: 23 characters.
        stated := (replace(substr($1, 1, least(length($1) - length(zone), 23)), ',', '.') || 'Z')::timestamptz;
        if zone = 'Z' then
          return stated;
        end if;
        return stated - (left(zone, 3) || ':' || right(zone, 2))::interval;
      end $$;
`;

export const VIEWS = `${TIME}${createViews({
  orders: 'orders cross join lateral (select content::jsonb as whole offset 0) as shown',
  order: 'whole',
  parts: (list) => `cross join lateral jsonb_array_elements(whole -> '${list}') as parts (part)`,
  part: 'part',
  json: (column) => `${column}::jsonb`,
  field: (json, type, path) => {
    switch (type) {
      case 'text':
        return `${json} #>> ${at(path)}`;
      case 'number':
        return `(${json} #>> ${at(path)})::bigint`;
      case 'boolean':
        return `(${json} #>> ${at(path)})::boolean`;
      case 'amount':
        return `(${json} #>> ${at(path)})::numeric`;
      case 'time':
        return `paynotify_time(${json} #>> ${at(path)})`;
      case 'json':
        return `nullif(${json} #> ${at(path)}, 'null')`;
    }
  },
  time: (column) => `to_timestamp(${column} / 1000) + (${column} % 1000) * interval '1 millisecond'`,
  codes: `string_to_array(trim(attention), '  ')`,
})}`;
