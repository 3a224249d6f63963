{#-
  History of a contract from its landed changes: every column, with valid_from (first day) and valid_to (first day no
  longer). A landed row ends the one before it with the same source and key; a delete ends it and starts nothing; a row
  that equals the one before it is not a change. Nothing landed after the run is read, so history is the same whenever it
  is rebuilt.
-#}
{% macro landed_history(landed, key) -%}
    {%- set per_key = 'partition by source, ' ~ key ~ ' order by business_date nulls last, _line nulls last' -%}
    select *
    from (
        select
            changed.*,
            business_date as valid_from,
            coalesce(lead(business_date) over ({{ per_key }}), cast('9999-12-31' as date)) as valid_to
        from (
            select
                landed.*,
                lag(_change) over ({{ per_key }}) as _change_before,
                lag(_row_hash) over ({{ per_key }}) as _row_hash_before
            from {{ landed }} as landed
            where business_date <= {{ run_to() }}
        ) as changed
        where
            _change_before is null
            or _change <> _change_before
            or coalesce(_row_hash, '') <> coalesce(_row_hash_before, '')
    ) as history
    where _change = 'upsert' and valid_from < valid_to
{%- endmacro %}
