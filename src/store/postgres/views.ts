import { createViews } from '../views.ts';

const at = (path: readonly string[]): string => `'{${path.join(',')}}'`;

/**
 * What is no time by order/time.ts is null, and so is one of the year 0. The time zone is added by hand: PostgreSQL
 * knows none beyond 15:59.
 */
const TIME = `
      create function paynotify_time(text) returns timestamptz language plpgsql immutable strict parallel safe as $$
      declare
        part text[] := regexp_match($1, '^([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9])'
          || '(?::([0-5][0-9])(?:[.,]([0-9]{1,9}))?)?(?:Z|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))$');
        days integer;
        ahead interval;
      begin
        if $1 ~ '^[0-9]{13}$' then
          return to_timestamp($1::bigint / 1000) + ($1::bigint % 1000) * interval '1 millisecond';
        end if;
        if part is null or part[1] = '0000' then
          return null;
        end if;
        days := extract(day from make_date(part[1]::integer, part[2]::integer, 1) + interval '1 month - 1 day');
        if part[3]::integer not between 1 and days then
          return null;
        end if;
        ahead := make_interval(hours => coalesce(part[9], '0')::integer, mins => coalesce(part[10], '0')::integer);
        return make_timestamp(
          part[1]::integer, part[2]::integer, part[3]::integer, part[4]::integer, part[5]::integer,
          (coalesce(part[6], '0') || '.' || substr(rpad(coalesce(part[7], ''), 3, '0'), 1, 3))::double precision
        ) at time zone 'UTC' - case when part[8] = '-' then -ahead else ahead end;
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
