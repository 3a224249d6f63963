-- Who is only a patient, a buyer or an insured to a partner is a party, but has no row: the bank has no business with
-- them. Organisations have that the register knows, or that let a market or a supply chain tell of them; filings of
-- tax, social security and the bureau do not make a row.
with reasons as (
    select
        party_id,
        business_date,
        1 as is_customer
    from {{ ref('int_party_record') }}
    union all
    select
        party_id,
        business_date,
        0 as is_customer
    from {{ ref('int_crm_party') }}
    union all
    select
        record.party_id,
        record.business_date,
        0 as is_customer
    from {{ ref('int_record_party') }} as record
    inner join {{ source('identity', 'party') }} as organisation
        on record.party_id = organisation.party_id
    where organisation.party_kind = 'organisation' and record.contract = 'registry.company'
    union all
    select
        record.party_id,
        record.business_date,
        0 as is_customer
    from {{ ref('int_shared_record') }} as record
    inner join {{ source('identity', 'party') }} as organisation
        on record.party_id = organisation.party_id
    where
        organisation.party_kind = 'organisation'
        and record.contract in ('market.stall_lease', 'supply_chain.invoice')
),

known as (
    select
        party_id,
        business_date,
        max(is_customer) = 1 as is_customer
    from reasons
    group by party_id, business_date
),

golden as (
    select
        party_id,
        {% for attribute in golden_attributes() -%}
            min_by({{ attribute }}, {{ attribute }}_rank) filter (where {{ attribute }}_rank is not null)
                as {{ attribute }},
        {% endfor -%}
        {% for identifier in golden_identifiers() -%}
            max(case when has_{{ identifier }} then 1 else 0 end) as has_{{ identifier }},
        {% endfor -%}
        business_date
    from {{ ref('int_party_claim') }}
    group by party_id, business_date
)

select
    known.party_id,
    known.business_date,
    party.party_kind,
    known.is_customer,
    {% for attribute in golden_attributes() -%}
        golden.{{ attribute }},
    {% endfor -%}
    {% for identifier in golden_identifiers() -%}
        coalesce(golden.has_{{ identifier }}, 0) = 1 as has_{{ identifier }},
    {% endfor -%}
    {% set age_months %}
        (extract(year from known.business_date) - extract(year from golden.birth_month)) * 12
        + extract(month from known.business_date) - extract(month from golden.birth_month)
    {% endset -%}
    {{ integer_divide(age_months | trim, 12) }} as age_years,
    case
        when party.party_kind = 'person'
            then {{ quotient(
                count_known(['golden.gender', 'golden.birth_month', 'golden.district_key']), 3, scale=4,
                type='decimal(9, 4)'
            ) }}
        else {{ quotient(
            count_known(['golden.industry_code', 'golden.district_key']), 2, scale=4, type='decimal(9, 4)'
        ) }}
    end as identity_completeness
from known
inner join {{ source('identity', 'party') }} as party
    on known.party_id = party.party_id
left join golden
    on known.party_id = golden.party_id and known.business_date = golden.business_date
