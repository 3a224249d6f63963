{{ loan_arrears(ref('int_as_of_date'), ref('int_delivery_as_of')) }}
