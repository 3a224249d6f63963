with payments as (
    select
        identifier.party_id,
        identifier.business_date,
        payment.source,
        count(*) as payments
    from {{ ref('int_identifier_party') }} as identifier
    inner join {{ ref('stg_medical__payment') }} as payment
        on
            identifier.token = payment.patient_national_id_token
            and identifier.business_date >= payment.business_date
            and identifier.business_date >= payment.paid_on
            and {{ add_days('identifier.business_date', -365) }} < payment.paid_on
    where identifier.kind = 'national_id'
    group by identifier.party_id, identifier.business_date, payment.source
),

totals as (
    select
        payments.party_id,
        payments.business_date,
        cast(sum(payments.payments) as bigint) as payments,
        cast(sum(delivery.days_delivered_365d) as bigint) as days_delivered,
        max(delivery.sources) as sources
    from payments
    inner join {{ ref('int_source_delivery') }} as delivery
        on
            payments.business_date = delivery.business_date
            and payments.source = delivery.source
            and delivery.contract = 'medical.payment'
    group by payments.party_id, payments.business_date
)

select
    party_id,
    business_date,
    payments as medical_payments_365d,
    {{ quotient('days_delivered', '(365 * sources)', scale=4, type='decimal(9, 4)') }} as medical_completeness
from totals
