{% set attributes = [
    'occupation', 'education', 'marital_status', 'annual_income', 'channel_preference', 'investor_risk_level',
] %}

-- Of several records of one party the one that changed last speaks for it.
with records as (
    select
        record.party_id,
        record.business_date,
        {% for attribute in attributes -%}
            customer.{{ attribute }},
        {% endfor -%}
        {{ count_known(attributes) }} as attributes_known,
        row_number() over (
            partition by record.party_id, record.business_date
            order by
                customer.valid_from desc nulls last,
                customer.source asc nulls last,
                customer.customer_key asc nulls last
        ) as recency
    from {{ ref('int_crm_party') }} as record
    inner join {{ ref('stg_crm__customer') }} as customer
        on
            record.source = customer.source
            and record.customer_key = customer.customer_key
            and record.business_date >= customer.valid_from
            and record.business_date < customer.valid_to
)

select
    party_id,
    business_date,
    {% for attribute in attributes -%}
        {{ attribute }},
    {% endfor -%}
    {{ quotient('attributes_known', attributes | length, scale=4, type='decimal(9, 4)') }} as crm_completeness
from records
where recency = 1
