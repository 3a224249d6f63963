with payments as (
    select
        record.party_id,
        record.business_date,
        payment.source
    from {{ ref('int_shared_record') }} as record
    inner join {{ ref('stg_medical__payment') }} as payment
        on
            record.source = payment.source
            and record.record_key = payment.patient_national_id_token
            and record.business_date >= payment.business_date
            and record.business_date >= payment.paid_on
            and {{ add_days('record.business_date', -365) }} < payment.paid_on
    where record.contract = 'medical.payment' and record.role = 'patient'
),

totals as (
    select
        party_id,
        business_date,
        count(*) as payments
    from payments
    group by party_id, business_date
),

delivered as (
    {{ sources_delivered('payments', 'medical.payment', 365) }}
)

select
    totals.party_id,
    totals.business_date,
    cast(totals.payments as bigint) as medical_payments_365d,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources_in_all)', scale=4, type='decimal(9, 4)') }}
        as medical_completeness
from totals
inner join delivered
    on totals.party_id = delivered.party_id and totals.business_date = delivered.business_date
