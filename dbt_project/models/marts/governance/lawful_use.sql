with rules as (
    select {{ lawful_needs() }}
    from {{ source('control', 'lawful_use') }}
),

bases as (
    select {{ lawful_bases() }}
    from {{ source('control', 'legal_basis') }}
),

words as (
    select
        party_id,
        {% for word, condition in lawful_words().items() -%}
            {{ consent_word(condition) }} as {{ word }},
        {% endfor -%}
        business_date
    from {{ ref('int_consent') }}
    group by party_id, business_date
),

parties as (
    select
        party.party_id,
        party.party_kind,
        golden.party_id is not null as has_customer_360,
        coalesce(golden.age_years < {{ policy('consent.minor_age_years') }}, false) as is_minor,
        delivered.first_row_on as consents_from,
        rules.*,
        bases.*,
        {% for word in lawful_words() -%}
            words.{{ word }},
        {% endfor -%}
        as_of.business_date
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ source('identity', 'party') }} as party
        on as_of.business_date >= party.founded_on
    inner join {{ ref('int_delivery_as_of') }} as delivered
        on as_of.business_date = delivered.business_date and delivered.contract = 'consent.event'
    cross join rules
    cross join bases
    left join {{ ref('int_party') }} as golden
        on party.party_id = golden.party_id and as_of.business_date = golden.business_date
    left join words
        on party.party_id = words.party_id and as_of.business_date = words.business_date
),

refusals as (
    select
        party_id,
        business_date,
        has_customer_360,
        party_kind,
        is_minor,
        consents_from is not null as consents_known,
        {{ lawful_words_told() }} as consents,
        {{ lawful_refusals() }}
    from parties
)

select
    party_id,
    business_date,
    has_customer_360,
    party_kind,
    is_minor,
    consents_known,
    consents,
    {{ lawful_verdicts() }}
from refusals
