with penalties as (
    select
        record.party_id,
        record.business_date,
        count(*) as penalties,
        cast(sum(penalty.amount) as decimal(18, 2)) as amount
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_environment__penalty') }} as penalty
        on
            record.source = penalty.source
            and record.record_key = penalty.uscc_token
            and record.business_date >= penalty.business_date
            and record.business_date >= penalty.penalised_on
            and {{ add_days('record.business_date', -365) }} < penalty.penalised_on
    where record.contract = 'environment.penalty' and record.role = 'offender'
    group by record.party_id, record.business_date
),

delivered as (
    {{ all_sources_delivered('environment.penalty', 365) }}
)

select
    party.party_id,
    party.business_date,
    cast(coalesce(penalties.penalties, 0) as bigint) as penalties_365d,
    cast(coalesce(penalties.amount, 0) as decimal(18, 2)) as penalty_amount_365d,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as environment_completeness
from {{ ref('int_party') }} as party
inner join delivered
    on party.business_date = delivered.business_date
left join penalties
    on party.party_id = penalties.party_id and party.business_date = penalties.business_date
where party.has_uscc or penalties.party_id is not null
