{#-
  The two bounds of the Wilson score interval of a share, `low` or `high`, of `successes` among `trials`; `z` is how many
  standard deviations wide. Null without a trial. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; without continuity correction.
-#}
{% macro wilson(successes, trials, z, bound) -%}
    {%- set n = 'nullif(cast(' ~ trials ~ ' as double), 0)' -%}
    {%- set k = 'cast(' ~ successes ~ ' as double)' -%}
    {%- set zd = 'cast(' ~ z ~ ' as double)' -%}
    {%- set half = zd ~ ' * sqrt(' ~ k ~ ' * (' ~ n ~ ' - ' ~ k ~ ') / ' ~ n ~ ' + ' ~ zd ~ ' * ' ~ zd ~ ' / 4e0)' -%}
    case
        when {{ trials }} > 0
            then cast(round(least(greatest(
                ({{ k }} + {{ zd }} * {{ zd }} / 2e0 {{ '-' if bound == 'low' else '+' }} {{ half }})
                / ({{ n }} + {{ zd }} * {{ zd }}),
                0e0
            ), 1e0), 4) as decimal(9, 4))
    end
{%- endmacro %}
