with employers as (
    select
        record.party_id,
        record.business_date,
        count(*) as agreements
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_payroll__agreement') }} as agreement
        on
            record.party_key = agreement.employer_party_key
            and record.business_date >= agreement.valid_from
            and record.business_date < agreement.valid_to
    group by record.party_id, record.business_date
)

select
    party.party_id,
    party.business_date,
    case
        when delivered.first_row_on is not null then coalesce(employers.agreements, 0) > 0
    end as has_payroll_agreement,
    cast(case when delivered.first_row_on is null then 0 else 1 end as decimal(9, 4)) as payroll_completeness
from {{ ref('int_party') }} as party
inner join {{ ref('int_delivery_as_of') }} as delivered
    on party.business_date = delivered.business_date and delivered.contract = 'payroll.agreement'
left join employers
    on party.party_id = employers.party_id and party.business_date = employers.business_date
