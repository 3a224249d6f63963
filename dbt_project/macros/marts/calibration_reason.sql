{#-
  Why a cell of the calibration matrix gets the advice it gets: the first that holds. It looks at the bounds of intervals and
  never at a rate, so what is not settled by numbers changes nothing.
-#}
{% macro calibration_reason() -%}
    case
        when pd_band = 'not_evaluable' then 'pd_not_known'
        when borrowers < {{ policy('calibration.min_borrowers') }} then 'too_few_borrowers'
        when bad_rate_low > {{ policy('calibration.max_bad_rate') }} then 'surely_bad'
        when bad_rate_high >= {{ policy('calibration.safe_bad_rate') }} then 'bad_rate_not_settled'
        when contacted < {{ policy('calibration.min_contacted') }} then 'too_few_contacted'
        when conversion_rate_low <= {{ policy('calibration.worth_conversion_rate') }} then 'conversion_not_settled'
        else 'surely_safe_and_worth_it'
    end
{%- endmacro %}
