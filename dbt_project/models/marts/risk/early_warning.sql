{% set signals = warning_signals() %}

with found as (
    {% for signal, (column, side, kinds, since, yellow, red, evidence) in signals.items() -%}
        select
            party_id,
            business_date,
            '{{ signal }}' as signal,
            cast({{ column }} as decimal(18, 4)) as value,
            {{ signal_severity(signal) }} as severity,
            {{ policy('early_warning.' ~ signal ~ '_yellow') }} as yellow_threshold,
            {{ policy('early_warning.' ~ signal ~ '_red') }} as red_threshold,
            '{{ evidence }}' as evidence,
            {{ since or 'cast(null as date)' }} as first_seen_on
        from {{ ref('int_party_signal') }}
        where
            {{ column }} is not null
            and party_kind in ('{{ kinds | join("', '") }}')
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
)

select
    found.party_id,
    found.business_date,
    found.signal,
    found.severity,
    found.value,
    cast(
        case found.severity when 'red' then found.red_threshold else found.yellow_threshold end as decimal(18, 4)
    ) as threshold,
    found.evidence,
    found.first_seen_on,
    party.severity as party_severity,
    party.signals_evaluable,
    party.signals_in_all
from found
inner join {{ ref('int_party_warning') }} as party
    on found.party_id = party.party_id and found.business_date = party.business_date
where found.severity is not null
