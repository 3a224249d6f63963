{{ card_arrears(ref('int_as_of_date')) }}
