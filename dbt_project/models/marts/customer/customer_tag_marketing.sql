{{ tag_intervals('marketing', source('history', 'customer_tag_marketing')) }}
