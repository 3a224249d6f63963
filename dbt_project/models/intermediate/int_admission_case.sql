-- Who asks to become a borrower or is to become a customer: whoever applied for a loan within the window, by the last
-- application, and organisations that a market or a supply chain knows and the bank does not have yet.
with applications as (
    select
        record.party_id,
        record.business_date,
        application.source,
        application.application_key,
        application.applied_on,
        application.amount,
        row_number() over (
            partition by record.party_id, record.business_date
            order by
                application.applied_on desc nulls last,
                application.source asc nulls last,
                application.application_key asc nulls last
        ) as recency
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_loan__application') }} as application
        on
            record.party_key = application.party_key
            and record.business_date >= application.business_date
            and record.business_date >= application.applied_on
    where
        {{ days_between('application.applied_on', 'record.business_date') }}
        < {{ policy('admission.window_days') }}
),

prospects as (
    select
        party.party_id,
        party.business_date,
        min(record.founded_on) as opened_on
    from {{ ref('int_party') }} as party
    inner join {{ ref('int_record_party') }} as record
        on party.party_id = record.party_id and party.business_date = record.business_date
    where
        party.party_kind = 'organisation'
        and not party.is_customer
        and record.contract in ('market.stall_lease', 'supply_chain.invoice')
        and record.role in ('merchant', 'seller')
    group by party.party_id, party.business_date
)

select
    party_id,
    business_date,
    {{ case_key("'application ' || source || ' ' || application_key") }} as case_key,
    'application' as occasion,
    applied_on as opened_on,
    amount
from applications
where recency = 1
union all
select
    party_id,
    business_date,
    {{ case_key("'onboarding ' || party_id") }} as case_key,
    'onboarding' as occasion,
    opened_on,
    cast(null as decimal(18, 2)) as amount
from prospects
