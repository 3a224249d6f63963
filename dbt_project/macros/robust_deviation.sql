{#-
  Twice the median of `value` over the rows of `relation` with the same `keys`, and how many rows there are: twice, since
  the median of an even number of amounts lies between two of them, and twice that is exact. Rows without a value are left
  out by the caller.
-#}
{% macro twice_median(relation, value, keys) -%}
    {%- set by = keys | join(', ') -%}
    select
        {{ by }},
        cast(sum(case when twice_position = middle then 2 * middle_value else middle_value end) as decimal(28, 4))
            as twice_median,
        max(observations) as observations
    from (
        select
            {{ by }},
            {{ value }} as middle_value,
            2 * row_number() over (partition by {{ by }} order by {{ value }} nulls last) as twice_position,
            count(*) over (partition by {{ by }}) as observations,
            count(*) over (partition by {{ by }}) + 1 as middle,
            count(*) over (partition by {{ by }}) + 2 as last_middle
        from {{ relation }}
    ) as ranked
    where twice_position between observations and last_middle
    group by {{ by }}
{%- endmacro %}

{#-
  How far a value lies from a median, in standard deviations of a normal distribution with the same median absolute
  deviation (0.67449 is its upper quartile); four decimals. `twice_deviation` is twice the value less twice the median,
  `four_deviations` four times the median absolute deviation, as `twice_median` of doubled deviations gives it. Null where
  more than half of the values are the same. The column holds no more than 99999.
-#}
{% macro robust_z(twice_deviation, four_deviations) -%}
    case
        when {{ four_deviations }} > 0 and {{ twice_deviation }} is not null
            then cast(
                round(
                    greatest(least(
                        0.67449 * 2 * cast({{ twice_deviation }} as double)
                        / cast(nullif({{ four_deviations }}, 0) as double),
                        99999
                    ), -99999), 4
                ) as decimal(9, 4)
            )
    end
{%- endmacro %}
