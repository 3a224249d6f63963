-- What a party said of one partner comes before what it said of all of them.
with rules as (
    select distinct
        contract,
        data_class,
        consent
    from {{ source('control', 'sharing_rule') }}
),

said as (
    select
        consent.party_id,
        consent.business_date,
        delivery.contract,
        delivery.source,
        consent.is_given,
        row_number() over (
            partition by consent.party_id, consent.business_date, delivery.contract, delivery.source
            order by consent.partner desc nulls last
        ) as closeness
    from {{ ref('int_consent') }} as consent
    inner join rules
        on consent.purpose = rules.consent and consent.data_class = rules.data_class
    inner join {{ ref('int_source_delivery') }} as delivery
        on
            consent.business_date = delivery.business_date
            and rules.contract = delivery.contract
            and (consent.partner = delivery.source or consent.partner = '')
)

select
    party_id,
    business_date,
    contract,
    source,
    is_given
from said
where closeness = 1
