"""Who is who: gives every source record a party, and every party an id that never changes."""
