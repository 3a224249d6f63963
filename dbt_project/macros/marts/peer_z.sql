{#-
  How far a figure lies from the median of its peers, in standard deviations as they would be without outliers: 1.4826 is
  what turns the median absolute deviation of normal figures into their standard deviation. `least` is the smallest spread
  that is believed: where most peers are the same, a deviation of zero would make everybody else an outlier.
-#}
{% macro peer_z(value, median, deviation, least) -%}
    cast(least(greatest(
        round(({{ value }} - {{ median }}) / greatest(1.4826 * {{ deviation }}, {{ least }}), 2),
    -99999), 99999) as decimal(9, 2))
{%- endmacro %}
