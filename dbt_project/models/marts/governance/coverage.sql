select
    business_date,
    contract,
    delivered_through,
    {{ days_between('delivered_through', 'business_date') }} as carried_days,
    case
        when delivered_through is null then 'absent'
        when delivered_through = business_date then 'delivered'
        else 'carried'
    end as status
from {{ ref('int_delivery_as_of') }}
