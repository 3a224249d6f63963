with versions as (
    select
        source,
        product_key,
        valid_from,
        row_number() over (partition by source, product_key order by valid_from asc nulls last) as place
    from {{ ref('stg_reference__product') }}
)

select
    as_of.business_date,
    versions.product_key,
    max(versions.valid_from) as product_changed_on
from {{ ref('int_as_of_date') }} as as_of
inner join versions
    on
        as_of.business_date >= versions.valid_from
        and {{ days_between('versions.valid_from', 'as_of.business_date') }} - 30 < 90
where versions.place > 1
group by as_of.business_date, versions.product_key
