{#- Which risk-weight function a facility is weighed by, over the columns of expected_loss. -#}
{% macro facility_asset_class() -%}
    case
        when facility_kind = 'card' and party_kind = 'organisation' then 'corporate'
        when facility_kind = 'card' then 'qrre'
        when loan_type = 'mortgage' then 'mortgage'
        when party_kind = 'organisation' and tax_revenue_365d <= {{ policy('loss.sme_max_sales') }} then 'sme'
        when party_kind = 'organisation' then 'corporate'
        else 'other_retail'
    end
{%- endmacro %}

{#-
  Loss given default of all years: that of the collateral's kind on the part that it secures, and of an unsecured claim on
  the rest. A guarantee does not lower it: in the Basel framework it stands in the guarantor's probability of default.
-#}
{% macro facility_lgd() -%}
    {%- set own = "case when facility_kind = 'card' then " ~ policy('loss.card_lgd') ~ " else "
        ~ policy('loss.unsecured_lgd') ~ " end" -%}
    {%- set needed = "case when collateral_type = 'deposit' then ead else ead * "
        ~ policy('loss.over_collateralisation') ~ " end" -%}
    {%- set share = "cast(least(collateral_value / nullif(cast(" ~ needed ~ " as double), 0), 1) as double)" -%}
    cast(round(
        case
            when collateral_type is null or coalesce(ead, 0) = 0 then {{ own }}
            when
                collateral_type <> 'deposit'
                and collateral_value < ead * {{ policy('loss.min_collateralisation') }}
                then {{ own }}
            else
                cast({{ own }} as double) + {{ share }} * cast(
                    case
                        when collateral_type = 'deposit' then {{ policy('loss.deposit_lgd') }}
                        when collateral_type in ('residential', 'commercial') then {{ policy('loss.real_estate_lgd') }}
                        else {{ policy('loss.equipment_lgd') }}
                    end - {{ own }} as double
                )
        end, 4
    ) as decimal(9, 4))
{%- endmacro %}
