{#-
  Generated from data_contracts/propensity/ by `zhongtai contracts sync`. Change the cards, not this file.

  Every propensity card by its name. Of each characteristic `points` is SQL over the columns of the card's mart;
  `offset` and `factor` make a probability of a score.
-#}
{% macro propensity_cards() -%}
    {{ return({
        'offer': {
            'card': "offer 1.0.0",
            'base_points': "511.16",
            'factor': "28.8539008178",
            'offset': "586.4385618977",
            'characteristics': [
                {'column': "aum", 'points': "case when aum is null then 0.0 when aum < 8900 then -4.04 when aum < 17000 then -2.02 when aum < 32000 then 0.0 when aum < 62000 then 2.02 else 4.04 end"},
                {'column': "balance_avg_90d", 'points': "case when balance_avg_90d is null then 0.0 when balance_avg_90d < 8300 then -4.39 when balance_avg_90d < 16000 then -2.19 when balance_avg_90d < 29000 then 0.0 when balance_avg_90d < 58000 then 2.19 else 4.39 end"},
                {'column': "value_income_365d", 'points': "case when value_income_365d is null then 0.0 when value_income_365d < 54 then 4.33 when value_income_365d < 110 then 2.17 when value_income_365d < 220 then 0.0 when value_income_365d < 490 then -2.17 else -4.33 end"},
                {'column': "travel_amount_90d", 'points': "case when travel_amount_90d is null then 0.0 when travel_amount_90d < 130 then 0.75 when travel_amount_90d < 630 then 0.0 else -0.75 end"},
                {'column': "dining_amount_90d", 'points': "case when dining_amount_90d is null then 0.0 when dining_amount_90d < 150 then 1.0 when dining_amount_90d < 320 then 0.5 when dining_amount_90d < 540 then 0.0 when dining_amount_90d < 960 then -0.5 else -1.0 end"},
                {'column': "online_amount_90d", 'points': "case when online_amount_90d is null then 0.0 when online_amount_90d < 480 then -1.12 when online_amount_90d < 950 then -0.56 when online_amount_90d < 1500 then 0.0 when online_amount_90d < 2600 then 0.56 else 1.12 end"},
                {'column': "app_days_30d", 'points': "case when app_days_30d is null then 0.0 when app_days_30d < 4 then 3.27 when app_days_30d < 6 then 1.63 when app_days_30d < 9 then 0.0 when app_days_30d < 11 then -1.63 else -3.27 end"},
                {'column': "channel_preference", 'points': "case when channel_preference is null then 0.0 when cast(channel_preference as string) in ('app') then 1.64 when cast(channel_preference as string) in ('branch') then 0.09 when cast(channel_preference as string) in ('phone') then -3.77 when cast(channel_preference as string) in ('sms') then -0.14 else 5.01 end"},
            ],
        },
    }) }}
{%- endmacro %}
