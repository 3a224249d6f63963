-- The last bureau report of a party against the one before it.
with named as (
    {% for identifier in ['national_id_token', 'uscc_token'] -%}
        select
            source,
            report_key,
            {{ identifier }} as subject_token,
            report_date,
            loan_balance + card_balance as debt,
            worst_days_past_due_24m,
            inquiries_6m,
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
        named.debt,
        named.worst_days_past_due_24m,
        named.inquiries_6m,
        row_number() over (
            partition by record.party_id, record.business_date
            order by
                named.report_date desc nulls last,
                named.known_on desc nulls last,
                named.source asc nulls last,
                named.report_key asc nulls last,
                named.subject_token asc nulls last
        ) as recency
    from {{ ref('int_record_party') }} as record
    inner join named
        on
            record.source = named.source
            and record.record_key = named.subject_token
            and record.business_date >= named.known_on
            and record.business_date >= named.report_date
    where record.contract = 'bureau.credit_report' and record.role = 'subject'
)

select
    latest.party_id,
    latest.business_date,
    latest.report_date as bureau_report_on,
    latest.inquiries_6m as bureau_inquiries,
    latest.worst_days_past_due_24m - previous.worst_days_past_due_24m as bureau_arrears_rise,
    -- The column holds no more; so far beyond any limit the difference says nothing.
    case
        when previous.debt < {{ policy('early_warning.min_debt') }} then null
        when latest.debt >= previous.debt * 99999 and previous.debt > 0 then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('latest.debt', 'previous.debt', scale=4, type='decimal(9, 4)') }}
    end as bureau_debt_growth
from reports as latest
left join reports as previous
    on
        latest.party_id = previous.party_id
        and latest.business_date = previous.business_date
        and latest.recency + 1 = previous.recency
where
    latest.recency = 1
    and {{ days_between('latest.report_date', 'latest.business_date') }}
    < {{ policy('early_warning.bureau_max_age_days') }}
