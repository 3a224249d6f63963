{% set in_every_window = ['credit_amount', 'debit_amount', 'credit_count', 'debit_count', 'income_amount'] %}
{% set in_one_window = [
    'household_amount_90d', 'insurance_amount_90d', 'loan_payment_amount_90d', 'cash_out_amount_90d', 'card_amount_90d',
    'penalty_interest_count_365d', 'fee_amount_365d',
] %}

with delivered as (
    select
        business_date,
        count(first_row_on) filter (where contract = 'core.account_holder') as holders,
        count(first_row_on) filter (where contract = 'card.account') as cards,
        count(first_row_on) filter (where contract = 'loan.contract') as loans,
        count(first_row_on) filter (where contract = 'core.standing_order') as orders,
        count(first_row_on) filter (where contract = 'core.transaction') as bookings,
        min(first_row_on) filter (where contract = 'core.transaction') as first_booking_on
    from {{ ref('int_delivery_as_of') }}
    group by business_date
),

parties as (
    select
        party.*,
        product.relationship_since,
        delivered.holders,
        delivered.cards,
        delivered.loans,
        delivered.orders,
        delivered.bookings,
        {{ days_between('product.relationship_since', 'party.business_date') }} as relationship_days,
        {% for figure in [
            'accounts_owned', 'accounts_disposed', 'cards_held', 'standing_orders', 'loans_granted', 'loans_active',
            'loan_principal_active', 'loan_monthly_payment',
        ] -%}
            coalesce(product.{{ figure }}, 0) as {{ figure }},
        {% endfor -%}
        {{ days_between('delivered.first_booking_on', 'party.business_date') }} as days_since_first_booking
    from {{ ref('int_party') }} as party
    inner join delivered
        on party.business_date = delivered.business_date
    left join {{ ref('int_party_product') }} as product
        on
            party.party_id = product.party_id
            and party.business_date = product.business_date
)

select
    parties.party_id,
    parties.business_date,
    parties.party_kind,
    case
        when market.is_merchant then 'merchant'
        when parties.party_kind = 'organisation' then 'company'
        else 'person'
    end as party_type,
    case when parties.is_customer then 'customer' else 'prospect' end as customer_status,
    parties.gender,
    parties.age_years,
    parties.district_key,
    parties.industry_code,
    parties.household_size,
    parties.has_phone as contact_known,
    parties.has_email as email_known,
    parties.has_address as address_known,
    parties.identity_completeness,
    parties.relationship_since,
    parties.relationship_days,
    case
        when parties.relationship_since is null then 'prospect'
        when parties.relationship_days < {{ policy('lifecycle.new_days') }} then 'new'
        when flow.days_since_booking < {{ policy('lifecycle.dormant_days') }} then 'active'
        else 'dormant'
    end as lifecycle_stage,
    flow.days_since_booking,
    {{ quotient('parties.holders + parties.bookings', 2, scale=4, type='decimal(9, 4)') }} as lifecycle_completeness,
    parties.accounts_owned,
    parties.accounts_disposed,
    case when parties.cards = 1 then parties.cards_held end as cards_held,
    case when parties.loans = 1 then parties.loans_granted end as loans_granted,
    case when parties.orders = 1 then parties.standing_orders end as standing_orders,
    {{ quotient(
        'parties.holders + parties.cards + parties.loans + parties.orders', 4, scale=4, type='decimal(9, 4)'
    ) }} as products_completeness,
    balance.balance,
    balance.balance_min_90d,
    balance.balance_min_365d,
    balance.balance_avg_90d,
    {% for days in [30, 90, 365] -%}
        {% for measure in in_every_window -%}
            coalesce(flow.{{ measure }}_{{ days }}d, 0) as {{ measure }}_{{ days }}d,
        {% endfor -%}
    {% endfor -%}
    {% for measure in in_one_window -%}
        coalesce(flow.{{ measure }}, 0) as {{ measure }},
    {% endfor -%}
    {{ quotient('least(coalesce(parties.days_since_first_booking + 1, 0), 365)', 365, scale=4, type='decimal(9, 4)') }}
        as flows_completeness,
    case when parties.loans = 1 then parties.loans_active end as loans_active,
    case when parties.loans = 1 then parties.loan_principal_active end as loan_principal_active,
    case when parties.loans = 1 then parties.loan_monthly_payment end as loan_monthly_payment,
    {{ customer_block_columns() }}
from parties
left join {{ ref('int_party_balance') }} as balance
    on
        parties.party_id = balance.party_id
        and parties.business_date = balance.business_date
left join {{ ref('int_party_flow') }} as flow
    on
        parties.party_id = flow.party_id
        and parties.business_date = flow.business_date
{% for block in customer_blocks() -%}
    left join {{ ref('int_party_' ~ block) }} as {{ block }}
        on
            parties.party_id = {{ block }}.party_id
            and parties.business_date = {{ block }}.business_date
{% endfor -%}
