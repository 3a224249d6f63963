with penalties as (
    select
        identifier.party_id,
        identifier.business_date,
        count(*) as penalties,
        cast(sum(penalty.amount) as decimal(18, 2)) as amount
    from {{ ref('int_identifier_party') }} as identifier
    inner join {{ ref('stg_environment__penalty') }} as penalty
        on
            identifier.token = penalty.uscc_token
            and identifier.business_date >= penalty.business_date
            and identifier.business_date >= penalty.penalised_on
            and {{ add_days('identifier.business_date', -365) }} < penalty.penalised_on
    where identifier.kind = 'uscc'
    group by identifier.party_id, identifier.business_date
),

delivered as (
    select
        business_date,
        count(*) as sources,
        cast(sum(days_delivered_365d) as bigint) as days_delivered
    from {{ ref('int_source_delivery') }}
    where contract = 'environment.penalty'
    group by business_date
)

select
    identifier.party_id,
    identifier.business_date,
    cast(coalesce(penalties.penalties, 0) as bigint) as penalties_365d,
    cast(coalesce(penalties.amount, 0) as decimal(18, 2)) as penalty_amount_365d,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as environment_completeness
from {{ ref('int_party_identifier') }} as identifier
inner join delivered
    on identifier.business_date = delivered.business_date
left join penalties
    on identifier.party_id = penalties.party_id and identifier.business_date = penalties.business_date
where identifier.by_uscc = 1
