{{ loan_arrears(ref('int_month_before'), ref('int_delivery_month_before')) }}
