{{ tag_intervals('risk_management', source('history', 'customer_tag')) }}
