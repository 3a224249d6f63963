{% set measures = [
    'edits_30d', 'busiest_edit_day_30d', 'password_resets_30d', 'off_hours_operations_30d', 'records_exported_30d',
    'unrelated_views_30d',
] %}

with figures as (
    {% for measure in measures %}
        select
            staff_key,
            business_date,
            role,
            branch_key,
            '{{ measure }}' as measure,
            {{ measure }} as value,
            -- A few exports are of thousands of records.
            {{ ('ln(1 + %s)' if measure == 'records_exported_30d' else 'cast(%s as double)') % measure }} as scaled
        from {{ ref('int_staff_conduct') }}
        {%- if not loop.last %} union all {% endif %}
    {% endfor %}
),

medians as (
    select
        business_date,
        role,
        measure,
        count(*) as peers,
        median(scaled) as scaled_median,
        cast(round(median(value), 2) as decimal(18, 2)) as peer_median
    from figures
    group by business_date, role, measure
),

distances as (
    select
        figures.*,
        medians.peers,
        medians.peer_median,
        medians.scaled_median,
        median(abs(figures.scaled - medians.scaled_median)) over (
            partition by figures.business_date, figures.role, figures.measure
        ) as deviation
    from figures
    inner join medians
        on
            figures.business_date = medians.business_date
            and figures.role = medians.role
            and figures.measure = medians.measure
),

scores as (
    select
        *,
        {% set least -%}
            case
                when measure = 'records_exported_30d' then cast({{ policy('staff.min_log_spread') }} as double)
                else sqrt(greatest(scaled_median, 1))
            end
        {%- endset -%}
        {{ peer_z('scaled', 'scaled_median', 'deviation', least) }} as robust_z
    from distances
)

select
    staff_key,
    business_date,
    measure,
    role,
    branch_key,
    value,
    peers,
    peer_median,
    robust_z
from scores
where peers >= {{ policy('staff.min_peers') }} and robust_z >= {{ policy('staff.min_robust_z') }}
