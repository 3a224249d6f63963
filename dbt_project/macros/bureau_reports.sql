{#-
  The bureau's reports on a party that were known on each date, where it lets them be used: one row for each, with the
  `columns` of stg_bureau__credit_report; the latest has recency 1. A report names a person or a business by its number.
-#}
{% macro bureau_reports(columns) -%}
    select
        record.party_id,
        record.business_date,
        named.report_date,
        {% for column in columns -%}
            named.{{ column }},
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
    inner join (
        {% for identifier in ['national_id_token', 'uscc_token'] -%}
            select
                source,
                report_key,
                {{ identifier }} as subject_token,
                report_date,
                {% for column in columns -%}
                    {{ column }},
                {% endfor -%}
                business_date as known_on
            from {{ ref('stg_bureau__credit_report') }}
            where {{ identifier }} is not null
            {% if not loop.last -%}
                union all
            {% endif -%}
        {% endfor -%}
    ) as named
        on
            record.source = named.source
            and record.record_key = named.subject_token
            and record.business_date >= named.known_on
            and record.business_date >= named.report_date
    where record.contract = 'bureau.credit_report' and record.role = 'subject'
{%- endmacro %}
