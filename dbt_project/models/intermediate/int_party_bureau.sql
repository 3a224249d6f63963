{% set figures = [
    'open_loans', 'loan_balance', 'card_limit', 'card_balance', 'worst_days_past_due_24m', 'inquiries_6m',
] %}

with named as (
    {% for identifier in ['national_id_token', 'uscc_token'] -%}
        select
            source,
            report_key,
            {{ identifier }} as subject_token,
            report_date,
            {% for figure in figures -%}
                {{ figure }},
            {% endfor -%}
            business_date as known_on
        from {{ ref('stg_bureau__credit_report') }}
        where {{ identifier }} is not null
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
),

reports as (
    select
        record.party_id,
        record.business_date,
        named.report_date,
        {% for figure in figures -%}
            named.{{ figure }},
        {% endfor -%}
        row_number() over (
            partition by record.party_id, record.business_date
            order by
                named.report_date desc nulls last,
                named.known_on desc nulls last,
                named.source asc nulls last,
                named.report_key asc nulls last,
                named.subject_token asc nulls last
        ) as recency
    from {{ ref('int_shared_record') }} as record
    inner join named
        on
            record.source = named.source
            and record.record_key = named.subject_token
            and record.business_date >= named.known_on
            and record.business_date >= named.report_date
    where record.contract = 'bureau.credit_report' and record.role = 'subject'
)

select
    party_id,
    business_date,
    open_loans as bureau_open_loans,
    loan_balance as bureau_loan_balance,
    card_balance as bureau_card_balance,
    -- The column holds no more; so far beyond any limit the difference says nothing.
    case
        when card_balance >= card_limit * 99999 and card_limit > 0 then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('card_balance', 'card_limit', scale=4, type='decimal(9, 4)') }}
    end as bureau_card_utilisation,
    worst_days_past_due_24m as bureau_worst_days_past_due_24m,
    inquiries_6m as bureau_inquiries_6m,
    {{ days_between('report_date', 'business_date') }} as bureau_report_age_days,
    cast(1 as decimal(9, 4)) as bureau_completeness
from reports
where recency = 1
