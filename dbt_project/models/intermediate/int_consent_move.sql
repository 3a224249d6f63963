{% set scope = ['purpose', 'data_class', 'partner'] %}

with customers as (
    select
        record.party_id,
        record.business_date,
        party.party_kind,
        min(record.founded_on) as since
    from {{ ref('int_record_party') }} as record
    inner join {{ source('identity', 'party') }} as party
        on record.party_id = party.party_id
    inner join {{ ref('int_party') }} as golden
        on record.party_id = golden.party_id and record.business_date = golden.business_date
    where record.contract = 'core.party' and golden.is_customer
    group by record.party_id, record.business_date, party.party_kind
),

states as (
    select
        state.business_date,
        state.purpose,
        state.data_class,
        state.partner,
        customers.party_kind,
        state.is_given,
        greatest(state.valid_from, customers.since) as given_from,
        state.valid_to
    from {{ ref('int_consent_state') }} as state
    inner join customers
        on state.party_id = customers.party_id and state.business_date = customers.business_date
    where state.known_to is null
),

-- Asked is every customer of the kind, person or organisation, of which any said anything of it.
asked as (
    select
        kinds.business_date,
        kinds.purpose,
        kinds.data_class,
        kinds.partner,
        customers.since as moved_on,
        count(*) as asked,
        0 as given
    from (select distinct business_date, {{ scope | join(', ') }}, party_kind from states) as kinds
    inner join customers
        on kinds.business_date = customers.business_date and kinds.party_kind = customers.party_kind
    group by kinds.business_date, kinds.purpose, kinds.data_class, kinds.partner, customers.since
),

given as (
    select
        business_date,
        {% for each in scope -%}
            {{ each }},
        {% endfor -%}
        given_from as moved_on,
        0 as asked,
        count(*) as given
    from states
    where is_given and (valid_to is null or valid_to > given_from)
    group by business_date, {{ scope | join(', ') }}, given_from
    union all
    select
        business_date,
        {% for each in scope -%}
            {{ each }},
        {% endfor -%}
        valid_to as moved_on,
        0 as asked,
        -count(*) as given
    from states
    where is_given and valid_to > given_from
    group by business_date, {{ scope | join(', ') }}, valid_to
)

select
    business_date,
    {% for each in scope -%}
        {{ each }},
    {% endfor -%}
    moved_on,
    cast(sum(asked) as bigint) as asked,
    cast(sum(given) as bigint) as given
from (
    select * from asked
    union all
    select * from given
) as moves
group by business_date, {{ scope | join(', ') }}, moved_on
