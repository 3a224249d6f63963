{#-
  The returns that a business filed in the 365 days up to each date, where it lets them be shared: one row for each, with
  the `columns` of stg_tax__filing. A return that is filed again replaces the one before it: the one that stands has
  recency 1.
-#}
{% macro tax_filings(columns) -%}
    select
        record.party_id,
        record.business_date,
        {% for column in columns -%}
            filing.{{ column }},
        {% endfor -%}
        row_number() over (
            partition by record.party_id, record.business_date, filing.source, filing.tax_type, filing.period
            order by
                filing.filed_on desc nulls last,
                filing.business_date desc nulls last,
                filing.filing_key asc nulls last
        ) as recency
    from {{ ref('int_shared_record') }} as record
    inner join {{ ref('stg_tax__filing') }} as filing
        on
            record.source = filing.source
            and record.record_key = filing.uscc_token
            and record.business_date >= filing.business_date
            and record.business_date >= filing.filed_on
            and {{ add_days('record.business_date', -365) }} < filing.filed_on
    where record.contract = 'tax.filing' and record.role = 'taxpayer'
{%- endmacro %}
