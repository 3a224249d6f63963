with identifiers as (
    {% for kind in ['national_id', 'phone', 'uscc'] -%}
        select
            source,
            party_key,
            '{{ kind }}' as kind,
            {{ kind }}_token as token,
            valid_from,
            valid_to
        from {{ ref('stg_core__party') }}
        where {{ kind }}_token is not null
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
),

carriers as (
    select
        as_of.business_date,
        identifiers.kind,
        identifiers.token,
        crosswalk.party_id,
        row_number() over (
            partition by as_of.business_date, identifiers.kind, identifiers.token
            order by crosswalk.founded_on nulls last, identifiers.source nulls last, identifiers.party_key nulls last
        ) as seniority,
        min(crosswalk.party_id) over (
            partition by as_of.business_date, identifiers.kind, identifiers.token
        ) as lowest_party_id,
        max(crosswalk.party_id) over (
            partition by as_of.business_date, identifiers.kind, identifiers.token
        ) as highest_party_id
    from {{ ref('int_as_of_date') }} as as_of
    inner join identifiers
        on
            as_of.business_date >= identifiers.valid_from
            and as_of.business_date < identifiers.valid_to
    inner join {{ source('identity', 'party_crosswalk') }} as crosswalk
        on
            identifiers.source = crosswalk.source
            and identifiers.party_key = crosswalk.record_key
)

select
    business_date,
    kind,
    token,
    party_id
from carriers
where seniority = 1 and (kind <> 'phone' or lowest_party_id = highest_party_id)
