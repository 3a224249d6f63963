{#-
  The internal ratings-based risk-weight functions of the Basel Committee: International Convergence of Capital Measurement
  and Capital Standards (2006), paragraphs 272 (corporate), 273 (small and medium firms), 328 to 330 (retail). The numbers
  here are those of the functions; what a bank chooses is in policy.yaml. Without the scaling factor of 1.06.
-#}

{#- Asset correlation by class; `sales` are yearly sales in millions of euros, from 5 to 50, and count for sme alone. -#}
{% macro irb_correlation(asset_class, pd, sales) -%}
    {%- set of_firms = '(1e0 - exp(-50e0 * ' ~ pd ~ ')) / (1e0 - exp(-50e0))' -%}
    {%- set of_retail = '(1e0 - exp(-35e0 * ' ~ pd ~ ')) / (1e0 - exp(-35e0))' -%}
    case
        when {{ asset_class }} in ('corporate', 'sme')
            then
                0.12e0 * {{ of_firms }} + 0.24e0 * (1e0 - {{ of_firms }})
                - case when {{ asset_class }} = 'sme' then 0.04e0 * (1e0 - ({{ sales }} - 5e0) / 45e0) else 0e0 end
        when {{ asset_class }} = 'mortgage' then 0.15e0
        when {{ asset_class }} = 'qrre' then 0.04e0
        when {{ asset_class }} = 'other_retail'
            then 0.03e0 * {{ of_retail }} + 0.16e0 * (1e0 - {{ of_retail }})
    end
{%- endmacro %}

{#- Argument of N for the probability of default where the one common factor is as bad as its quantile says. -#}
{% macro conditional_threshold(pd_quantile, correlation, factor_quantile) -%}
    ({{ pd_quantile }} + sqrt({{ correlation }}) * {{ factor_quantile }}) / sqrt(1e0 - {{ correlation }})
{%- endmacro %}

{#- Share by which capital for firms grows with `maturity` in years; one for retail. -#}
{% macro irb_maturity(asset_class, pd, maturity) -%}
    {%- set b = 'power(0.11852e0 - 0.05478e0 * ln(' ~ pd ~ '), 2)' -%}
    case
        when {{ asset_class }} in ('corporate', 'sme')
            then (1e0 + ({{ maturity }} - 2.5e0) * {{ b }}) / (1e0 - 1.5e0 * {{ b }})
        else 1e0
    end
{%- endmacro %}
