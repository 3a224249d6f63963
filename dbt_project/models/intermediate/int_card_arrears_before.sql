{{ card_arrears(ref('int_month_before')) }}
