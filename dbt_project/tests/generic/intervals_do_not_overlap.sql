{#-
  At no time two rows have the same key, from whichever sources they come: a reference to the key has one meaning.
-#}
{% test intervals_do_not_overlap(model, key) %}
    select *
    from (
        select
            {{ key }},
            valid_from,
            valid_to,
            lead(valid_from) over (partition by {{ key }} order by valid_from nulls last, valid_to nulls last) as next_from
        from {{ model }}
    ) as intervals
    where valid_from >= valid_to or next_from < valid_to
{% endtest %}
