{#-
  The tags that serve a purpose, as intervals: those open on each business date that the run builds, and those that end
  on it. `before` is a relation with the intervals that were open before the run's first date (history.customer_tag).

  A tag is evaluated on the dates that tag_refresh says and carried to the others; that of a party that
  customer_360 does not have, or without a definition, ends.
-#}
{% macro tag_intervals(purpose, before) -%}
    {%- set tags = [] -%}
    {%- for tag in tag_definitions() if purpose in tag.purposes -%}
        {%- do tags.append(tag) -%}
    {%- endfor -%}
    {%- set per_tag = 'partition by party_id, tag order by business_date asc' -%}
    {%- set so_far = per_tag ~ ' rows between unbounded preceding and current row' -%}
{{ tag_evaluation(tags, before) }}

-- One row per party, tag and date of the run; decided where the tag is evaluated or cannot be carried.
states as (
    select
        carried.party_id,
        carried.tag,
        dates.business_date,
        verdicts.value as value_decided,
        earlier.value as value_before,
        earlier.valid_from as valid_from_before,
        parties.party_id is null or coalesce(calendar.is_due, true) as is_decided
    from carried
    cross join {{ ref('int_as_of_date') }} as dates
    left join refreshes
        on carried.tag = refreshes.tag
    left join calendar
        on dates.business_date = calendar.business_date and refreshes.refresh = calendar.refresh
    left join parties
        on carried.party_id = parties.party_id and dates.business_date = parties.business_date
    left join verdicts
        on
            carried.party_id = verdicts.party_id
            and carried.tag = verdicts.tag
            and dates.business_date = verdicts.business_date
    left join earlier
        on carried.party_id = earlier.party_id and carried.tag = earlier.tag
),

decisions as (
    select
        *,
        max(case when is_decided then business_date end) over ({{ so_far }}) as decided_on,
        row_number() over ({{ per_tag }}) as place
    from states
),

valued as (
    select
        *,
        case
            when decided_on is null then value_before
            else max(case when is_decided then value_decided end) over (partition by party_id, tag, decided_on)
        end as value
    from decisions
),

preceded as (
    select
        *,
        case when place = 1 then value_before else lag(value) over ({{ per_tag }}) end as value_preceding
    from valued
),

begun as (
    select
        *,
        coalesce(
            max(
                case when value is not null and coalesce(value <> value_preceding, true) then business_date end
            ) over ({{ so_far }}),
            valid_from_before
        ) as valid_from
    from preceded
),

bounded as (
    select
        *,
        case when place = 1 then valid_from_before else lag(valid_from) over ({{ per_tag }}) end as valid_from_preceding
    from begun
)

select
    party_id,
    business_date,
    tag,
    valid_from,
    cast(null as date) as valid_to,
    value
from bounded
where value is not null
union all
select
    party_id,
    business_date,
    tag,
    valid_from_preceding as valid_from,
    business_date as valid_to,
    value_preceding as value
from bounded
where value_preceding is not null and coalesce(value <> value_preceding, true)
{%- endmacro %}
