with defendants as (
    {% for kind in ['national_id', 'uscc'] -%}
        select
            source,
            case_key,
            '{{ kind }}' as kind,
            defendant_{{ kind }}_token as token,
            filed_on,
            closed_on,
            amount,
            valid_from,
            valid_to
        from {{ ref('stg_judicial__case') }}
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
),

-- Who is named by identity number and by credit code is a defendant once.
cases as (
    select distinct
        identifier.party_id,
        identifier.business_date,
        defendants.source,
        defendants.case_key,
        {{ days_between('defendants.filed_on', 'identifier.business_date') }} as days_ago,
        coalesce(defendants.closed_on > identifier.business_date, true) as is_open,
        defendants.amount
    from {{ ref('int_identifier_party') }} as identifier
    inner join defendants
        on
            identifier.kind = defendants.kind
            and identifier.token = defendants.token
            and identifier.business_date >= defendants.valid_from
            and identifier.business_date < defendants.valid_to
            and identifier.business_date >= defendants.filed_on
),

totals as (
    select
        party_id,
        business_date,
        count(*) filter (where days_ago < 365) as cases,
        count(*) filter (where is_open) as open_cases,
        cast(sum(amount) filter (where is_open) as decimal(18, 2)) as open_amount
    from cases
    group by party_id, business_date
),

delivered as (
    select
        business_date,
        count(*) as sources,
        cast(sum(days_delivered_365d) as bigint) as days_delivered
    from {{ ref('int_source_delivery') }}
    where contract = 'judicial.case'
    group by business_date
)

select
    identifier.party_id,
    identifier.business_date,
    cast(coalesce(totals.cases, 0) as bigint) as judicial_cases_365d,
    cast(coalesce(totals.open_cases, 0) as bigint) as judicial_open_cases,
    cast(coalesce(totals.open_amount, 0) as decimal(18, 2)) as judicial_open_amount,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as judicial_completeness
from {{ ref('int_party_identifier') }} as identifier
inner join delivered
    on identifier.business_date = delivered.business_date
left join totals
    on identifier.party_id = totals.party_id and identifier.business_date = totals.business_date
where identifier.by_national_id = 1 or identifier.by_uscc = 1
