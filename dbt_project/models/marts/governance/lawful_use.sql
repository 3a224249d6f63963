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

shared as (
    select
        record.party_id,
        max(case when rules.data_class = 'partner' then 'partner' end) as partner,
        max(case when rules.data_class = 'bureau' then 'bureau' end) as bureau,
        max(case when rules.data_class = 'medical' then 'medical' end) as medical,
        record.business_date
    from {{ ref('int_shared_record') }} as record
    inner join {{ source('control', 'sharing_rule') }} as rules
        on record.contract = rules.contract and record.role = rules.role
    group by record.party_id, record.business_date
),

parties as (
    select
        party.party_id,
        party.party_kind,
        golden.party_id is not null as has_customer_360,
        coalesce(golden.age_years < {{ policy('consent.minor_age_years') }}, false) as is_minor,
        delivered.first_row_on as consents_from,
        nullif(concat_ws(';', shared.partner, shared.bureau, shared.medical), '') as shared_classes,
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
    left join shared
        on party.party_id = shared.party_id and as_of.business_date = shared.business_date
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
        shared_classes,
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
    shared_classes,
    {{ lawful_verdicts() }}
from refusals
